// The operations under fault, each started as an operator starts it.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { toFailure } from '../../src/client/failures.ts';
import {
  startBackup,
  startExpiry,
  startImport,
  startReplicate,
  startRestore,
  startRestoreFleet,
  startSweep,
  startVerify,
} from '../../src/client/start.ts';
import { laneSectionId, queues, workflowNames } from '../../src/contract/names.ts';
import { newBundleId, putManifest, readManifest } from '../e2e/forge.ts';
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

type Start = (stage: Stage) => Promise<Running>;

const byName: Readonly<Record<OperationName, Start>> = {
  backup: ({ rig, lane }) => running(rig, startBackup(rig.rig.client, { lane: lane.lane, tier: 'B' })),
  'small backup': ({ rig, lane }) => running(rig, startBackup(rig.rig.client, { lane: lane.lane, tier: 'A' })),
  'talking backup': talkingBackup,
  'second backup': secondBackup,
  restore: ({ rig, lane, bundle }) => running(rig, startRestore(rig.rig.client, { lane: lane.lane, bundle })),
  plan: ({ rig, lane, bundle }) =>
    running(rig, startRestore(rig.rig.client, { lane: lane.lane, bundle, dryRun: true })),
  'failing restore': failingRestore,
  sandbox: ({ rig, lane, bundle }) =>
    running(rig, startRestore(rig.rig.client, { lane: lane.lane, bundle, into: 'sandbox' })),
  import: (stage) =>
    running(stage.rig, startImport(stage.rig.rig.client, { lane: stage.lane.lane, archive: archiveOf(stage) })),
  'sandbox of an archive': (stage) =>
    running(
      stage.rig,
      startRestore(stage.rig.rig.client, { lane: stage.lane.lane, archive: archiveOf(stage), into: 'sandbox' }),
    ),
  'plan of a move': planOfMove,
  undo: ({ rig, lane }) => running(rig, startRestore(rig.rig.client, { lane: lane.lane, undo: true })),
  sweep: ({ rig, lane }) => running(rig, startSweep(rig.rig.client, { lane: lane.lane, minAgeMs: 0 })),
  'fleet plan': ({ rig, lane }) =>
    running(rig, startRestoreFleet(rig.rig.client, { lanes: [lane.lane], dryRun: true })),
  expire: expireAfterTwo,
  copy: ({ rig, lane, bundle }) => running(rig, startReplicate(rig.rig.client, { lane: lane.lane, bundle })),
  'copy all': ({ rig, lane }) => running(rig, startReplicate(rig.rig.client, { lane: lane.lane })),
  verify: ({ rig, lane }) => running(rig, startVerify(rig.rig.client, { lane: lane.lane })),
  watch: ({ rig }) => running(rig, startWatch(rig.rig.client)),
};

export function startOperation(stage: Stage, operation: OperationName): Promise<Running> {
  return byName[operation](stage);
}

/** What the old script for one lane would have made of it now. @returns its name in the folder of archives */
function archiveOf({ rig, lane }: Stage): string {
  const name = `${lane.lane.replace('-', '')}-20250301.tar.gz`;
  mkdirSync(join(rig.rig.dir, 'archives'), { recursive: true });
  execFileSync('bsdtar', ['-czf', join(rig.rig.dir, 'archives', name), '-C', lane.realHome, '.openclaw', 'workspace']);
  return name;
}

/** The lane's bundle, as if another host had made it. */
async function planOfMove({ rig, lane, bundle }: Stage): Promise<Running> {
  const manifest = readManifest(rig.rig, lane.lane, bundle);
  const moved = { ...manifest, bundle: newBundleId(), host: { ...manifest.host, name: 'mac-0' } };
  await putManifest(rig.rig, moved);
  return running(rig, startRestore(rig.rig.client, { lane: lane.lane, bundle: moved.bundle, dryRun: true }));
}

function startWatch(client: Client): Promise<WorkflowHandle> {
  return client.workflow.start(workflowNames.watchFleet, {
    taskQueue: queues.host,
    workflowId: `watched/${crypto.randomUUID()}`,
    args: [{}],
    workflowTaskTimeout: '5s',
  });
}

/** Of two tiers A of one day the first expires. */
async function expireAfterTwo({ rig, lane: { lane } }: Stage): Promise<Running> {
  for (const tier of ['A', 'A'] as const) await (await startBackup(rig.rig.client, { lane, tier })).result();
  return running(rig, startExpiry(rig.rig.client, { lane }));
}

/** The gateway answers no message, so that the restore goes back. */
function failingRestore(stage: Stage): Promise<Running> {
  stage.rig.faults.arm({
    activity: 'smokeTest',
    call: 1,
    workflow: sectionOf(stage),
    when: 'after',
    action: 'fail',
    code: 'MessageUnanswered',
  });
  return startOperation(stage, 'restore');
}

export function sectionOf({ lane }: Pick<Stage, 'lane'>): string {
  return laneSectionId('bed', lane.lane);
}

async function running(rig: FaultRig, started: Promise<Pick<WorkflowHandle, 'workflowId'>>): Promise<Running> {
  const { workflowId } = await started;
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
  const started = await running(rig, startBackup(rig.rig.client, { lane: lane.lane, tier: 'B' }));
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
  const first = await running(rig, startBackup(rig.rig.client, { lane: lane.lane, tier: 'A' }));
  await gate.happens();
  const second = await running(rig, startBackup(rig.rig.client, { lane: lane.lane, tier: 'A' }));
  const outcome = async (): Promise<string> => {
    const seconds = second.outcome();
    await Promise.race([seconds, new Promise((resolve) => setTimeout(resolve, 3_000))]);
    gate.release();
    const [outcomeOfSecond, outcomeOfFirst] = await Promise.all([seconds, first.outcome()]);
    return outcomeOfFirst === 'completed' ? outcomeOfSecond : `first ${outcomeOfFirst}`;
  };
  return { workflowId: second.workflowId, outcome };
}
