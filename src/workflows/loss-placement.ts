// From the placement on every operation on the lanes goes to their new host; its keeper outlives the incident.

import {
  ChildWorkflowCancellationType,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { movedId, searchAttributes, workflowNames } from '../contract/names.ts';
import { movedMemo, movedMessages, type PlacedHost } from '../contract/placement.ts';
import { lanesOf, type Move } from './loss-move.ts';
import { vault } from './steps.ts';

/** From here on every operation on these lanes goes to the new host; the keeper outlives this incident. */
export async function place(move: Move, on: PlacedHost): Promise<void> {
  const { workflowId, runId } = workflowInfo();
  const { fleet } = move.desk.brief;
  const lostHost = move.lost.host;
  const keeper = movedId(fleet, lostHost);
  const claim = { fleet, keeper, incident: workflowId, runId, lostHost, lanes: lanesOf(move), on };
  const vouched = await vault.vouchHost(claim);
  await startChild(workflowNames.keepMoved, {
    workflowId: keeper,
    args: [vouched],
    memo: { [movedMemo]: { ...vouched, lanes: claim.lanes } },
    staticSummary: `lanes of ${lostHost} are on ${on.host}`,
    typedSearchAttributes: [{ key: searchAttributes.host, value: lostHost }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    // else a cancelled incident would take it along, and lanes that answer there would be looked for on the lost host
    cancellationType: ChildWorkflowCancellationType.ABANDON,
    workflowTaskTimeout: '5s',
  });
}

export async function withdraw({ desk, lost }: Move, lanes: readonly string[]): Promise<void> {
  if (lanes.length === 0) return;
  try {
    await getExternalWorkflowHandle(movedId(desk.brief.fleet, lost.host)).signal(movedMessages.withdraw, { lanes });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the keeper of moved lanes had ended', { host: lost.host });
  }
}

/** What became of a lane in a run that broke off: one that was restored there, or cannot be asked, stays there. */
export async function withdrawUnrestored(move: Move, lanes: readonly string[]): Promise<void> {
  const { fleetDigest } = move.plan;
  const restored = await Promise.all(
    lanes.map((lane) =>
      vault.measureRestore({ lane, fleetDigest, layered: true }).then(
        ({ lastRestore }) => lastRestore !== null,
        () => true,
      ),
    ),
  );
  await withdraw(
    move,
    lanes.filter((_, at) => !restored[at]),
  );
}
