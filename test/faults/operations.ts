// The operations under fault, each started as an operator starts it.

import { WorkflowFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { toFailure } from '../../src/client/failures.ts';
import { startBackup, startRestore, startSweep } from '../../src/client/start.ts';
import { laneSectionId, queues, workflowNames } from '../../src/contract/names.ts';
import type { BedLane } from '../bed/bed.ts';
import { talk } from './bad-day.ts';
import type { FaultRig } from './fault-rig.ts';
import type { OperationName } from './points.ts';

export interface Running {
  readonly workflowId: string;
  /** `completed`, or `failed:<code>`. Asked over the rig's present connection: the server may have been another one. */
  outcome(): Promise<string>;
}

export interface Stage {
  readonly rig: FaultRig;
  readonly lane: BedLane;
  /** The bundle that restores take. */
  readonly bundle: string;
}

/** What an operation does to a lane when it succeeds. */
export function restores(operation: OperationName): boolean {
  return operation === 'restore' || operation === 'undo';
}

export async function startOperation(stage: Stage, operation: OperationName): Promise<Running> {
  const { rig, lane, bundle } = stage;
  const { client } = rig.rig;
  switch (operation) {
    case 'backup':
      return running(rig, await startBackup(client, { lane: lane.lane, tier: 'B' }));
    case 'talking backup':
      return talkingBackup(stage);
    case 'second backup':
      return secondBackup(stage);
    case 'restore':
      return running(rig, await startRestore(client, { lane: lane.lane, bundle }));
    case 'failing restore':
      rig.faults.arm({
        activity: 'smokeTest',
        call: 1,
        workflow: sectionOf(stage),
        when: 'after',
        action: 'fail',
        code: 'MessageUnanswered',
      });
      return running(rig, await startRestore(client, { lane: lane.lane, bundle }));
    case 'sandbox':
      return running(rig, await startRestore(client, { lane: lane.lane, bundle, into: 'sandbox' }));
    case 'undo':
      return running(rig, await startRestore(client, { lane: lane.lane, undo: true }));
    case 'sweep':
      return running(rig, await startSweep(client, { lane: lane.lane, minAgeMs: 0 }));
    case 'watch':
      return running(
        rig,
        await client.workflow.start(workflowNames.watchFleet, {
          taskQueue: queues.host,
          workflowId: `watched/${crypto.randomUUID()}`,
          args: [{}],
          workflowTaskTimeout: '5s',
        }),
      );
  }
}

export function sectionOf({ lane }: Pick<Stage, 'lane'>): string {
  return laneSectionId('bed', lane.lane);
}

function running(rig: FaultRig, { workflowId }: WorkflowHandle): Running {
  return { workflowId, outcome: () => outcomeOf(rig.rig.client.workflow.getHandle(workflowId)) };
}

async function outcomeOf(handle: WorkflowHandle): Promise<string> {
  try {
    await handle.result();
    return 'completed';
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return `failed:${toFailure(error).code}`;
  }
}

/** Somebody goes on talking once the plan is made. */
async function talkingBackup({ rig, lane }: Stage): Promise<Running> {
  const gate = rig.faults.arm({
    activity: 'backupSegment',
    call: 1,
    workflow: sectionOf({ lane }),
    when: 'before',
    action: 'pause',
  });
  const started = running(rig, await startBackup(rig.rig.client, { lane: lane.lane, tier: 'B' }));
  await gate.happens();
  talk(lane);
  gate.release();
  return started;
}

/** The lane is held by a backup while another one asks for it. */
async function secondBackup({ rig, lane }: Stage): Promise<Running> {
  const gate = rig.faults.arm({
    activity: 'surveyLane',
    call: 1,
    workflow: sectionOf({ lane }),
    when: 'before',
    action: 'pause',
  });
  const first = running(rig, await startBackup(rig.rig.client, { lane: lane.lane, tier: 'A' }));
  await gate.happens();
  const second = running(rig, await startBackup(rig.rig.client, { lane: lane.lane, tier: 'A' }));
  const outcome = async (): Promise<string> => {
    const seconds = second.outcome();
    await Promise.race([seconds, new Promise((resolve) => setTimeout(resolve, 3_000))]);
    gate.release();
    const [outcomeOfSecond, outcomeOfFirst] = await Promise.all([seconds, first.outcome()]);
    return outcomeOfFirst === 'completed' ? outcomeOfSecond : `first ${outcomeOfFirst}`;
  };
  return { workflowId: second.workflowId, outcome };
}
