// A short run each minute, by schedule: starts settling where a journal lies on a lane whose section is dead.
// The sections it starts outlive it, and a lane whose section lives is left to that.

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import { WatchFleetInput } from '../contract/inputs.ts';
import { laneSectionId, workflowNames } from '../contract/names.ts';
import type { ResolvedLaneName } from '../contract/steps.ts';
import { inParallel } from './in-parallel.ts';
import { parseInput } from './input.ts';
import { host } from './steps.ts';

export interface WatchResult {
  readonly lanes: number;
  readonly unreachable: number;
  /** Lanes whose settling was started. */
  readonly settling: readonly string[];
}

const lanesAtOnce = 20;

export async function watchFleet(raw: unknown): Promise<WatchResult> {
  parseInput(WatchFleetInput, raw ?? {});
  const lanes = await host.listLanes();
  const unsettled = await inParallel(lanes, lanesAtOnce, ({ target }) => host.readUnsettled({ target }));
  const settling: string[] = [];
  for (const [at, lane] of lanes.entries()) {
    if (unsettled[at] === true && (await startSettling(lane))) settling.push(lane.lane);
  }
  return { lanes: lanes.length, unreachable: unsettled.filter((seen) => seen === null).length, settling };
}

async function startSettling({ lane, fleetDigest, target }: ResolvedLaneName): Promise<boolean> {
  try {
    await startChild(workflowNames.laneSection, {
      workflowId: laneSectionId(target.fleet, lane),
      args: [{ lane, fleetDigest, operation: { kind: 'settle' } }],
      memo: { operation: 'settle' },
      staticSummary: `settle lane ${lane}`,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout: '5s',
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
