// How every workflow enters a lane's section: as a child whose id is the lock. A held lane is waited for, then
// refused with the holder's name. A section that was terminated left the lane unsettled: it is settled here.

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  setCurrentDetails,
  sleep,
} from '@temporalio/workflow';
import type { Operation } from '../contract/inputs.ts';
import { laneSectionId, searchAttributes, workflowNames } from '../contract/names.ts';
import type { SectionResult, SettleResult } from '../contract/results.ts';
import type { Holder, ResolvedLane } from '../contract/step-types.ts';
import { doneDetails } from './details.ts';
import { asOwnFailure, wasTerminated, workflowFailure } from './failures.ts';
import { host } from './steps.ts';
import { nextTryMs } from './waiting.ts';

export interface Entry {
  readonly lane: string;
  readonly resolved: ResolvedLane;
  readonly operation: Operation;
  readonly waitMs: number;
  /** A restore does not wait for a backup or an expiry: it cancels it and takes its turn. */
  readonly cancelsBackup: boolean;
}

/**
 * Which fleet and host a lane belongs to. UnknownLane; NoPollers when no worker answers.
 * @param digest of the fleet file that a run over many lanes saw: FleetChanged when the worker holds another
 */
export async function resolveLane(lane: string, digest: string | undefined): Promise<ResolvedLane> {
  const resolved = await resolve(lane);
  if (digest === undefined || digest === resolved.fleetDigest) return resolved;
  const message = `lane ${lane}: the worker holds the fleet file ${resolved.fleetDigest.slice(0, 12)}…, the fleet run saw ${digest.slice(0, 12)}…`;
  throw workflowFailure('FleetChanged', message, { lane });
}

async function resolve(lane: string): Promise<ResolvedLane> {
  try {
    return await host.resolveLane({ lane });
  } catch (error) {
    throw asOwnFailure(error);
  }
}

export async function enterSection(entry: Entry): Promise<SectionResult> {
  const startedMs = Date.now();
  const cancelled = new Set<string>();
  for (;;) {
    try {
      setCurrentDetails(
        `in section **${laneSectionId(entry.resolved.fleet, entry.lane)}**, whose page shows how far it is`,
      );
      const result = await runSection(entry, entry.operation);
      setCurrentDetails(doneDetails(result));
      return result;
    } catch (error) {
      if (wasTerminated(error)) return settleTerminated(entry);
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw asOwnFailure(error);
    }
    const waitedMs = Date.now() - startedMs;
    await waitForHolder(entry, waitedMs, cancelled);
  }
}

/** What is done another time as well. */
const givesWay: readonly string[] = ['backup', 'expire'] satisfies Operation['kind'][];

/** What has just gone, or was asked to end by us, is not what the caller refuses to wait for: it gets a minute. */
const leavingMs = 60_000;

/** Until the next try; LaneBusy when the time is over. What is in a restore's way is asked to end, each run once. */
async function waitForHolder(entry: Entry, waitedMs: number, cancelled: Set<string>): Promise<void> {
  const id = laneSectionId(entry.resolved.fleet, entry.lane);
  const holder = await host.describeHolder({ workflowId: id });
  if (holder && givesWay.includes(holder.operation) && entry.cancelsBackup && !cancelled.has(holder.startedBy)) {
    cancelled.add(holder.startedBy);
    await cancelHolder(id, holder);
  } else if (waitedMs >= entry.waitMs + (isLeaving(holder, cancelled) ? leavingMs : 0)) {
    const who = holder ? `${id}, ${holder.operation} since ${holder.startedAt}` : id;
    throw workflowFailure('LaneBusy', `lane ${entry.lane} is held by ${who}; waited ${entry.waitMs} ms`, {
      lane: entry.lane,
      workflowId: id,
    });
  }
  setCurrentDetails(
    `**waiting** for lane ${entry.lane}, ${holder ? `held by ${holder.operation} since ${holder.startedAt}` : 'which was held a moment ago'}`,
  );
  const soon = holder === null || cancelled.size > 0;
  await sleep(nextTryMs(waitedMs, entry.waitMs, soon), { summary: `until ${id} is tried again` });
}

function isLeaving(holder: Holder | null, cancelled: ReadonlySet<string>): boolean {
  return holder === null || cancelled.has(holder.startedBy);
}

/** That very run: another that took the lane meanwhile is not meant. One that has just ended need not be asked. */
async function cancelHolder(id: string, { startedBy }: Holder): Promise<void> {
  try {
    await getExternalWorkflowHandle(id, startedBy).cancel();
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.info('what was in the way had ended', { workflowId: id });
  }
}

function runSection(entry: Entry, operation: Operation): Promise<SectionResult> {
  const { fleet, fleetDigest } = entry.resolved;
  return executeChild<(input: unknown) => Promise<SectionResult>>(workflowNames.laneSection, {
    workflowId: laneSectionId(fleet, entry.lane),
    args: [{ lane: entry.lane, fleetDigest, operation }],
    memo: { operation: operation.kind },
    staticSummary: summaryOf(entry.lane, operation),
    typedSearchAttributes: [
      { key: searchAttributes.host, value: entry.resolved.host },
      { key: searchAttributes.lane, value: entry.lane },
      ...(operation.kind === 'backup' ? [{ key: searchAttributes.tier, value: operation.tier }] : []),
    ],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    workflowTaskTimeout: '5s',
  });
}

function summaryOf(lane: string, operation: Operation): string {
  if (operation.kind === 'backup') return `back up ${lane}, tier ${operation.tier}`;
  if (operation.kind === 'restore' && operation.into === 'sandbox') return `restore ${lane} into a sandbox`;
  return `${operation.kind} ${lane}`;
}

const outcomes: Readonly<Record<SettleResult['action'], string>> = {
  nothing: 'nothing was to be put right afterwards',
  'rolled-back': 'the lane was put right afterwards, back to its old tree',
  'went-forward': 'the restore had been committed, and the lane was put right afterwards',
};

async function settleTerminated(entry: Entry): Promise<never> {
  const outcome = await CancellationScope.nonCancellable(() => settle(entry));
  const { kind } = entry.operation;
  const restoring = kind === 'restore' || kind === 'undo';
  const pin = entry.operation.kind === 'restore' && entry.operation.pin;
  const pinned = pin ? '; the version pin may have been rolled back: look which OpenClaw runs' : '';
  const unsigned = restoring ? '; a terminated run has no receipt' : '';
  const message = `the section of lane ${entry.lane} (${kind}) was terminated; ${outcome}${pinned}${unsigned}`;
  throw workflowFailure(restoring ? 'RestoreFailed' : 'Terminated', message, { lane: entry.lane });
}

/** Whoever took the lane in between begins by settling it, as every section does. */
async function settle(entry: Entry): Promise<string> {
  try {
    const result = await runSection(entry, { kind: 'settle' });
    return result.kind === 'settle' ? outcomes[result.settle.action] : `its settling answered ${result.kind}`;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'the next section of the lane puts it right';
    throw asOwnFailure(error);
  }
}
