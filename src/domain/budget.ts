// Budgets of a restore (procedure, "Restoring a lane: RTO 90 min"): 5 + 40 + 20 + 15 minutes and 10 in reserve.

export const restoreSteps = ['stop', 'tree', 'secrets', 'smoke'] as const;
export type RestoreStep = (typeof restoreSteps)[number];

const minuteMs = 60_000;

export interface RestoreBudgets {
  readonly rtoMs: number;
  readonly stepMs: Readonly<Record<RestoreStep, number>>;
}

export const defaultRestoreBudgets: RestoreBudgets = {
  rtoMs: 90 * minuteMs,
  stepMs: { stop: 5 * minuteMs, tree: 40 * minuteMs, secrets: 20 * minuteMs, smoke: 15 * minuteMs },
};

/** Staging and swapping run at some 40 MB/s on one core (perf-notes, "Data plane"), and a restore has a minute of fixed steps. */
const estimatedBytesPerMs = 40_000;

/** How long a restore of so much data is likely to take. */
export function estimateRestoreMs(sizeBytes: number): number {
  return minuteMs + Math.ceil(sizeBytes / estimatedBytesPerMs);
}

/** RPO of class 1: tier A is daily (procedure, "Setting"). */
export const defaultRpoMs = 24 * 60 * minuteMs;
