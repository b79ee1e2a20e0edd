// How activities are called: queues, time-outs and retries in one place (design, "Time-outs").
// Heartbeats are by timer, so a dead worker is noticed after limits.heartbeatTimeoutMs and its work goes on.

import { ActivityCancellationType, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import { queues } from '../contract/names.ts';
import type { HookSteps } from '../contract/hooks.ts';
import type { DataSteps, HostSteps, VaultDataSteps, VaultSteps } from '../contract/steps.ts';
import type { WatchHostSteps } from '../contract/watch-types.ts';
import { nonRetryableCodes } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';

const minuteMs = 60_000;

/** Short steps that prove, plan and check: given up after about a minute, for nothing has been stopped yet. */
const before: ActivityOptions = {
  startToCloseTimeout: 5 * minuteMs,
  scheduleToStartTimeout: minuteMs,
  heartbeatTimeout: limits.heartbeatTimeoutMs,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: {
    initialInterval: 500,
    backoffCoefficient: 2,
    maximumInterval: 10_000,
    maximumAttempts: 8,
    nonRetryableErrorTypes: [...nonRetryableCodes],
  },
};

/**
 * Steps while the gateway is down: a host that reboots takes minutes, so they are tried for some 10 minutes
 * (120 × 5 s), and wait for a worker as long as it takes.
 */
const down: ActivityOptions = {
  ...withoutScheduleToStart(before),
  retry: { ...before.retry, maximumInterval: 5_000, maximumAttempts: 120 },
};

/** Compensation: tried until it is done, or refused for good. */
const always: ActivityOptions = {
  ...down,
  retry: {
    initialInterval: 500,
    backoffCoefficient: 2,
    maximumInterval: 5_000,
    nonRetryableErrorTypes: [...nonRetryableCodes],
  },
};

function withoutScheduleToStart({ scheduleToStartTimeout: _, ...rest }: ActivityOptions): ActivityOptions {
  return rest;
}

export const host = proxyActivities<HostSteps>({ ...before, taskQueue: queues.host });
export const vault = proxyActivities<VaultSteps>({ ...before, taskQueue: queues.vault });
export const hostDown = proxyActivities<HostSteps>({ ...down, taskQueue: queues.host });
/** A gateway that exits at its start is not asked again for ten minutes: the old one waits to be started instead. */
export const hostStart = proxyActivities<Pick<HostSteps, 'startGateway'>>({
  ...down,
  taskQueue: queues.host,
  retry: { ...down.retry, nonRetryableErrorTypes: [...nonRetryableCodes, 'GatewayWouldNotStart'] },
});
/** Waits for a host that was lost, an hour at a time: as long as a worker is there to wait. */
export const hostKnocks = proxyActivities<Pick<HostSteps, 'awaitHost'>>({
  ...always,
  taskQueue: queues.host,
  startToCloseTimeout: limits.lostHostKnockMs + 5 * minuteMs,
});
export const vaultDown = proxyActivities<VaultSteps>({ ...down, taskQueue: queues.vault });
/** A receipt: the lane is right by now, but its lock and an operator wait; for a failure less long. */
export function vaultReceipt(
  outcome: 'passed' | 'failed',
): Pick<VaultSteps, 'writeReceipt' | 'writeIncidentReceipt' | 'writeGateReceipt'> {
  return proxyActivities<VaultSteps>({
    ...down,
    taskQueue: queues.vault,
    scheduleToCloseTimeout: outcome === 'passed' ? limits.receiptWriteMs : limits.receiptOfFailureMs,
  });
}
/** What the watch asks of hosts: once, and answered before its next run is due. */
export const look = proxyActivities<WatchHostSteps>({
  ...before,
  taskQueue: queues.host,
  scheduleToCloseTimeout: limits.watchLookMs,
  retry: { maximumAttempts: 1 },
});
/** Through all files of some lanes. */
export const countFiles = proxyActivities<Pick<WatchHostSteps, 'countMixed'>>({
  ...before,
  taskQueue: queues.host,
  startToCloseTimeout: 10 * minuteMs,
});
export const vaultAlways = proxyActivities<VaultSteps>({ ...always, taskQueue: queues.vault });

/** Hooks: each is ended by its own time-out; these attempts are for workers that die. */
export const hooks = proxyActivities<HookSteps>({
  ...down,
  taskQueue: queues.vault,
  startToCloseTimeout: limits.hookLongestMs,
});

/** Removing some GB of small files takes minutes. */
export const hostLong = proxyActivities<Pick<HostSteps, 'pruneLane'>>({
  ...before,
  taskQueue: queues.host,
  startToCloseTimeout: 2 * limits.pruneMs,
});

/** Thousands of objects of a store, one after the other: an hour a try, and each try goes on where the last one ended. */
export const vaultLong = proxyActivities<VaultSteps>({
  ...before,
  taskQueue: queues.vault,
  startToCloseTimeout: 60 * minuteMs,
});

/**
 * Streams: 10 minutes and the bytes at 1 MB/s; they queue for a slot as long as they must.
 * @param summary tells one of many in the Temporal UI
 */
function stream(sizeBytes: number, summary?: string): ActivityOptions {
  return {
    ...(summary === undefined ? {} : { summary }),
    ...withoutScheduleToStart(before),
    startToCloseTimeout: limits.streamBaseMs + Math.ceil(sizeBytes / limits.streamBytesPerMs),
    retry: { ...before.retry, maximumAttempts: 20 },
  };
}

export function dataStream(sizeBytes: number, summary?: string): DataSteps {
  return proxyActivities<DataSteps>({ ...stream(sizeBytes, summary), taskQueue: queues.data });
}

export function vaultStream(sizeBytes: number, summary?: string): VaultDataSteps {
  return proxyActivities<VaultDataSteps>({ ...stream(sizeBytes, summary), taskQueue: queues.vaultData });
}
