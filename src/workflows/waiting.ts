// How long a workflow sleeps between two tries at a held lane: short at first, then a twentieth of what it has waited.

/**
 * Each try costs some 15 events of history. At 5 s throughout, the longest wait of a day would cost 17,280 × 15 =
 * 259,000 of the 51,200 that Temporal allows; with this it is some 1,500 × 15 = 23,000.
 */
const firstMs = 5_000;
const longestMs = 60_000;
const shortestMs = 1_000;

/** @param soon the holder was asked to end: it is gone in seconds */
export function nextTryMs(waitedMs: number, waitMs: number, soon: boolean): number {
  if (soon && waitedMs < longestMs) return shortestMs;
  const byAge = Math.min(longestMs, Math.max(firstMs, Math.floor(waitedMs / 20)));
  return Math.max(shortestMs, Math.min(byAge, waitMs - waitedMs));
}
