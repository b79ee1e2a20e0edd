// Which segments are opened today: those that wait longest, so many that all have had their turn within the time that
// the fleet file sets, however often or seldom verification runs. Pure.

const dayMs = 24 * 3600 * 1000;

export interface Waiting {
  readonly suffix: string;
  readonly sealedBytes: number;
}

export interface Turns {
  readonly nowMs: number;
  readonly withinMs: number;
  /** When each was last opened and right, by suffix; absent: never. */
  readonly opened: Readonly<Record<string, string>>;
  /** The run before this one; absent: none. */
  readonly lastRunAt?: string | undefined;
}

/**
 * The share of all bytes that the time since the last run is of the whole (a day's at least), the longest unopened first;
 * and whatever would be late by this time tomorrow.
 */
export function dueSegments(segments: readonly Waiting[], { nowMs, withinMs, opened, lastRunAt }: Turns): Set<string> {
  const openedAtMs = ({ suffix }: Waiting): number => Date.parse(opened[suffix] ?? '') || 0;
  const sinceMs = lastRunAt === undefined ? dayMs : Math.max(dayMs, nowMs - Date.parse(lastRunAt));
  const totalBytes = segments.reduce((sum, { sealedBytes }) => sum + sealedBytes, 0);
  const share = totalBytes * Math.min(1, sinceMs / withinMs);
  const due = new Set<string>();
  let bytes = 0;
  const waiting = segments.toSorted((a, b) => openedAtMs(a) - openedAtMs(b) || (a.suffix < b.suffix ? -1 : 1));
  for (const segment of waiting) {
    const isLate = openedAtMs(segment) > 0 && nowMs + dayMs - openedAtMs(segment) > withinMs;
    if (bytes >= share && !isLate) continue;
    due.add(segment.suffix);
    bytes += segment.sealedBytes;
  }
  return due;
}
