// How often the watch starts to settle a lane that does not get settled: at once while it may be that a worker died or
// somebody terminated the section, later slowly, so that the lane is free in between for whoever mends it.

/** Of lanes that were left unsettled, by their names. */
export type SettleTries = Readonly<Record<string, SettleTry>>;

export interface SettleTry {
  /** Sections that were started, one after the other. */
  readonly count: number;
  readonly lastMs: number;
}

/** Of some 4 minutes each, where the gateway does not start (8 × 30 s). */
const promptTries = 3;

/** Between the start of one try and the next, from then on: half of it is left to the operator. */
export const slowTryMs = 600_000;

/** @param last undefined: none was made since the lane was seen settled */
export function isSettleDue(last: SettleTry | undefined, nowMs: number): boolean {
  return last === undefined || !needsMending(last) || nowMs - last.lastMs >= slowTryMs;
}

/** Three sections have not put it right: a person has to mend something. */
export function needsMending({ count }: SettleTry): boolean {
  return count >= promptTries;
}

export function afterSettleTry(last: SettleTry | undefined, nowMs: number): SettleTry {
  return { count: (last?.count ?? 0) + 1, lastMs: nowMs };
}
