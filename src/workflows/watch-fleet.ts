// A short run each minute, by schedule: starts settling where a journal lies on a lane whose section is dead.
// The sections it starts outlive it, and a lane whose section lives is left to that.

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { isCancellation, log, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { WatchFleetInput } from '../contract/inputs.ts';
import { laneSectionId, searchAttributes, workflowNames } from '../contract/names.ts';
import type { ResolvedLaneName } from '../contract/step-types.ts';
import { codeOf } from './failures.ts';
import { inParallel } from './in-parallel.ts';
import { parseInput } from './input.ts';
import { host } from './steps.ts';

export interface WatchResult {
  readonly lanes: number;
  readonly unreachable: number;
  /** Lanes that could not be asked for another reason (a changed host key): the others are watched all the same. */
  readonly refused: readonly string[];
  /** Lanes whose settling was started. */
  readonly settling: readonly string[];
}

const lanesAtOnce = 20;

export async function watchFleet(raw: unknown): Promise<WatchResult> {
  parseInput(WatchFleetInput, raw ?? {});
  const lanes = await host.listLanes();
  const seen = await inParallel(lanes, lanesAtOnce, look);
  const settling: string[] = [];
  for (const [at, lane] of lanes.entries()) {
    if (seen[at] === 'unsettled' && (await startSettling(lane))) settling.push(lane.lane);
  }
  const refused = lanes.filter((_, at) => seen[at] === 'refused').map(({ lane }) => lane);
  return {
    lanes: lanes.length,
    unreachable: seen.filter((state) => state === 'unreachable').length,
    refused,
    settling,
  };
}

type Seen = 'settled' | 'unsettled' | 'unreachable' | 'refused';

async function look({ target }: ResolvedLaneName): Promise<Seen> {
  try {
    const unsettled = await host.readUnsettled({ target });
    if (unsettled === null) return 'unreachable';
    return unsettled ? 'unsettled' : 'settled';
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('a lane could not be watched', { lane: target.lane, code: codeOf(error) ?? 'Unexpected' });
    return 'refused';
  }
}

async function startSettling({ lane, fleetDigest, target }: ResolvedLaneName): Promise<boolean> {
  try {
    await startChild(workflowNames.laneSection, {
      workflowId: laneSectionId(target.fleet, lane),
      args: [{ lane, fleetDigest, operation: { kind: 'settle' } }],
      memo: { operation: 'settle' },
      staticSummary: `settle ${lane}`,
      typedSearchAttributes: [
        { key: searchAttributes.host, value: target.host.name },
        { key: searchAttributes.lane, value: lane },
      ],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout: '5s',
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
