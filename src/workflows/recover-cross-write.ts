// Playbook "lane cross-write" (procedure): lanes of one host have written into one another. All of them are stopped first,
// and stay stopped, for while one writes none can be put right; then each comes back from its own tier C, beside each other;
// then it is shown that no file of one belongs to another. A lane that does not come back stays stopped, and is told.

import {
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlanDraft, PlannedLane, RecoveryPlan } from '../contract/incident-plan.ts';
import type { IncidentOutcome, IncidentState, LaneRecovery } from '../contract/incident-state.ts';
import { recoverInputs } from '../contract/incidents.ts';
import { workflowNames } from '../contract/names.ts';
import type { RestoreResult } from '../contract/results.ts';
import type { MixedFiles } from '../contract/watch-types.ts';
import { enterSection, resolveLane } from './enter-section.ts';
import { asOwnFailure, codeOf, messageOf, workflowFailure } from './failures.ts';
import { type Playbook, runIncident } from './incident.ts';
import type { IncidentDesk } from './incident-desk.ts';
import { inParallel } from './in-parallel.ts';
import { parseInput } from './input.ts';
import { countFiles } from './steps.ts';

export async function recoverCrossWrite(raw: unknown): Promise<IncidentState> {
  const { host: subject, lanes, ...common } = parseInput(recoverInputs['cross-write'], raw);
  const playbook: Playbook = {
    scenario: 'cross-write',
    subject,
    lanes,
    plan: async ({ brief }) =>
      draftOf(
        subject,
        brief.lanes.map(({ lane }) => lane),
      ),
    run: (plan, desk) => recover(plan, desk),
  };
  return runIncident(playbook, common);
}

function draftOf(host: string, lanes: readonly string[]): PlanDraft {
  return {
    steps: [
      ...lanes.map((lane) => ({
        step: 'stop',
        what: 'stop its gateway, disable its job, and prove that none of its processes is left; it stays stopped until it is restored',
        lane,
        host,
      })),
      ...lanes.map((lane) => ({ step: 'restore', what: 'restore it from its own tier C', lane, host })),
      { step: 'look', what: 'count files of one lane that belong to, or are named for, another', host },
    ],
    lanes: lanes.map((lane) => ({ lane, tiers: ['C'] })),
    fixedMs: 5 * 60_000,
  };
}

const lanesAtOnce = 16;

async function recover(plan: RecoveryPlan, desk: IncidentDesk): Promise<IncidentOutcome> {
  try {
    return await stopAndRestore(plan, desk);
  } catch (error) {
    // broken off: what was stopped by then stays so, and nothing else says how it comes back
    for (const { lane } of plan.lanes)
      desk.warn(`where \`./clawback status\` says that ${lane} is held: ${wayBack(lane)}`);
    throw error;
  }
}

async function stopAndRestore(plan: RecoveryPlan, desk: IncidentDesk): Promise<IncidentOutcome> {
  const stopped = await desk.part({ step: 'stop', phase: 'stopping every lane involved' }, () =>
    inParallel(plan.lanes, lanesAtOnce, (lane) => stopLane(lane, plan, desk)),
  );
  if (stopped.some(({ error }) => error !== undefined)) return notAllStopped(stopped);
  const rows = await desk.part({ step: 'restore', phase: 'restoring each lane from its own tier C' }, () =>
    inParallel(plan.lanes, lanesAtOnce, (lane) => restoreLane(lane, plan, desk)),
  );
  const mixed = await desk.part({ step: 'look', phase: 'counting files of one lane that are of another' }, () =>
    countMixed(rows),
  );
  const isLeft = mixed === null || mixed.some(({ owned, named, partly }) => owned + named > 0 || partly);
  const isBack = rows.every(({ outcome }) => outcome === 'recovered');
  return { lanes: rows, escalation: isBack && !isLeft ? null : escalation, remarks: remarksOf(mixed) };
}

/** Procedure: "troubleshoot and repair". */
const escalation =
  "troubleshoot and repair: `./clawback status` shows which lanes are still held; `./clawback report LANE` names files of other lanes; on the host compare UserName, HOME and port of each lane's plist, and the paths in each configuration, with fleet.yaml; then run `./clawback recover cross-write HOST` or restore a held lane";

interface Stopped {
  readonly lane: PlannedLane;
  readonly error: unknown;
}

async function stopLane(lane: PlannedLane, { fleetDigest }: RecoveryPlan, desk: IncidentDesk): Promise<Stopped> {
  try {
    const resolved = await resolveLane(lane.lane, fleetDigest);
    const waitMs = desk.input.waitMs ?? resolved.waitForLaneMs;
    const operation = { kind: 'stop', by: workflowInfo().workflowId } as const;
    const answer = await enterSection({ lane: lane.lane, resolved, operation, waitMs, cancelsBackup: true });
    if (answer.kind !== 'stop') throw workflowFailure('Unexpected', `the section answered ${answer.kind} to a stop`);
    return { lane, error: undefined };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { lane, error };
  }
}

/** While one still runs nothing is restored: it would be written over again. */
function notAllStopped(stopped: readonly Stopped[]): IncidentOutcome {
  const lanes = stopped.map(({ lane: { lane, host, bundle }, error }) => {
    const base = { lane, host, bundle, workflowId: null, answeredAt: null };
    if (error === undefined)
      return {
        ...base,
        outcome: 'untouched',
        remarks: [heldRemark(lane)],
        code: null,
        message: null,
      } satisfies LaneRecovery;
    return { ...base, ...failure(error), outcome: 'failed', remarks: [] } satisfies LaneRecovery;
  });
  return { lanes, escalation: `not every lane could be stopped, so none was restored; ${escalation}`, remarks: [] };
}

function heldRemark(lane: string): string {
  return `its gateway is stopped and stays so until the lane is restored: ${wayBack(lane)}`;
}

/** Both ways: from its tier C, or, mended by hand, as it is: a backup of a stopped lane, and that one restored. */
function wayBack(lane: string): string {
  return `\`./clawback restore ${lane}\`; once it is mended by hand, to keep what it has now: \`./clawback backup ${lane} --tier C\` first, and \`--bundle\` with its id`;
}

function failure(error: unknown): Pick<LaneRecovery, 'code' | 'message'> {
  return { code: codeOf(error) ?? 'Unexpected', message: messageOf(error) };
}

/** Whatever else becomes of it, a lane that failed is as it was, and stopped. */
async function restoreLane(
  { lane, host, bundle }: PlannedLane,
  { fleetDigest }: RecoveryPlan,
  { input }: IncidentDesk,
): Promise<LaneRecovery> {
  const workflowId = `${workflowInfo().workflowId}/restore/${lane}`;
  const base = { lane, host, bundle, workflowId };
  try {
    const waitMs = input.waitMs === undefined ? {} : { waitMs: input.waitMs };
    const result = await executeChild<(input: unknown) => Promise<RestoreResult>>(workflowNames.restoreLane, {
      workflowId,
      args: [{ lane, bundle, fleetDigest, ...waitMs }],
      staticSummary: `restore ${lane}`,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      workflowTaskTimeout: '5s',
    });
    const { answeredAt, warnings } = result;
    return { ...base, outcome: 'recovered', answeredAt, remarks: warnings, code: null, message: null };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return {
      ...base,
      outcome: 'failed',
      answeredAt: null,
      remarks: [heldRemark(lane)],
      ...failure(asOwnFailure(error)),
    };
  }
}

/** Null: it could not be shown. */
async function countMixed(rows: readonly LaneRecovery[]): Promise<readonly MixedFiles[] | null> {
  try {
    return await countFiles.countMixed({ lanes: rows.map(({ lane }) => lane) });
  } catch (error) {
    if (isCancellation(error)) throw error;
    return null;
  }
}

function remarksOf(mixed: readonly MixedFiles[] | null): string[] {
  if (mixed === null) return ['whether files of one lane are of another could not be counted'];
  return mixed.map(
    ({ lane, owned, named, partly }) =>
      `lane ${lane}: ${owned} files belong to another lane's user, ${named} are named for one${partly ? ', of those that could be seen in time' : ''}`,
  );
}
