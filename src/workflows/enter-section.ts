// How every workflow enters a lane's section: as a child whose id is the lock. A held lane is waited for, then
// refused with the holder's name. A section that was terminated left the lane unsettled: it is settled here.

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  executeChild,
  getExternalWorkflowHandle,
  sleep,
} from '@temporalio/workflow';
import type { Operation } from '../contract/inputs.ts';
import { laneSectionId, workflowNames } from '../contract/names.ts';
import type { SectionResult } from '../contract/results.ts';
import type { ResolvedLane } from '../contract/steps.ts';
import { asOwnFailure, wasTerminated, workflowFailure } from './failures.ts';
import { host } from './steps.ts';

export interface Entry {
  readonly lane: string;
  readonly resolved: ResolvedLane;
  readonly operation: Operation;
  readonly waitMs: number;
  /** A restore does not wait for a backup: it cancels it and takes its turn. */
  readonly cancelsBackup: boolean;
}

/** How often a held lane is tried: about 3 history events each, so 30 minutes cost 1,000 of 51,200. */
const tryEveryMs = 5_000;

export async function enterSection(entry: Entry): Promise<SectionResult> {
  const deadlineMs = Date.now() + entry.waitMs;
  let cancelled = false;
  for (;;) {
    try {
      return await runSection(entry, entry.operation);
    } catch (error) {
      if (wasTerminated(error)) return settleTerminated(entry);
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw asOwnFailure(error);
    }
    const id = laneSectionId(entry.resolved.fleet, entry.lane);
    const holder = await host.describeHolder({ workflowId: id });
    if (holder?.operation === 'backup' && entry.cancelsBackup && !cancelled) {
      cancelled = true;
      await getExternalWorkflowHandle(id).cancel();
    } else if (Date.now() >= deadlineMs) {
      const who = holder ? `${id}, ${holder.operation} since ${holder.startedAt}` : id;
      throw workflowFailure('LaneBusy', `lane ${entry.lane} is held by ${who}; waited ${entry.waitMs} ms`, {
        lane: entry.lane,
        workflowId: id,
      });
    }
    await sleep(cancelled ? 1_000 : Math.max(1_000, Math.min(tryEveryMs, deadlineMs - Date.now())));
  }
}

function runSection(entry: Entry, operation: Operation): Promise<SectionResult> {
  const { fleet, fleetDigest } = entry.resolved;
  return executeChild<(input: unknown) => Promise<SectionResult>>(workflowNames.laneSection, {
    workflowId: laneSectionId(fleet, entry.lane),
    args: [{ lane: entry.lane, fleetDigest, operation }],
    memo: { operation: operation.kind },
    staticSummary: `${operation.kind} lane ${entry.lane}`,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    workflowTaskTimeout: '5s',
  });
}

async function settleTerminated(entry: Entry): Promise<never> {
  await CancellationScope.nonCancellable(() => runSection(entry, { kind: 'settle' }));
  throw workflowFailure(
    'RestoreFailed',
    `the section of lane ${entry.lane} was terminated; the lane was put right afterwards`,
    { lane: entry.lane },
  );
}
