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

/** RPO of class 1: tier A is daily (procedure, "Setting"). */
export const defaultRpoMs = 24 * 60 * minuteMs;
