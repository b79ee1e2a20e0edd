// Which bundles of a lane are kept, and why. Pure, and without a clock: what counts is days, weeks and months that have
// a bundle, so that a lane which is no longer backed up loses nothing by the passing of time alone, and a wrong clock
// expires nothing.
//
// Bundles are judged apart for class 1 (all of them) and class 2 (tiers B and C): else each night's tier A would be
// the bundle of its week, and the week's transcripts would go. What falls out of these rules never comes back into
// them by newer bundles alone: test/unit/domain/retention.test.ts.

import { localDateOf } from './calendar.ts';
import type { DataClass } from './terms.ts';

/** How many days, weeks and months keep their bundle, and how long an expired bundle stays behind its tombstone. */
export interface Retention {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly graceMs: number;
}

/** What a bundle is to the rules. */
export interface RestorePoint {
  readonly bundle: string;
  readonly capturedAtMs: number;
  readonly classes: readonly DataClass[];
  /** OpenClaw's; null when none could be read. */
  readonly version: string | null;
  readonly suspect: boolean;
  /** A receipt of a passed restore of it exists. */
  readonly proven: boolean;
}

export const keepReasons = ['newest', 'last-proven', 'pre-upgrade', 'daily', 'weekly', 'monthly'] as const;
export type KeepReason = (typeof keepReasons)[number];

const classes: readonly DataClass[] = [1, 2];

/**
 * The current OpenClaw version and the two before it: of each the last bundle stays. Two are what the operator may go
 * back to; the third costs one bundle, and makes it right whether or not the current version counts as one of the two.
 */
const versionsKept = 3;

/**
 * @param points all bundles of a lane, in any order
 * @param timeZone of the host, IANA: its calendar says which day a bundle is of
 * @returns of each bundle that is kept the reasons; the others may expire
 */
export function reasonsToKeep(
  points: readonly RestorePoint[],
  retention: Omit<Retention, 'graceMs'>,
  timeZone: string,
): ReadonlyMap<string, readonly KeepReason[]> {
  const kept = new Map<string, Set<KeepReason>>();
  const keep = (reason: KeepReason, point: RestorePoint | undefined): void => {
    if (point) kept.set(point.bundle, (kept.get(point.bundle) ?? new Set()).add(reason));
  };
  for (const dataClass of classes) {
    const newestFirst = holdersOf(points, dataClass);
    keep('newest', newestFirst[0]);
    keep(
      'newest',
      newestFirst.find(({ suspect }) => !suspect),
    );
    keep(
      'last-proven',
      newestFirst.find(({ proven }) => proven),
    );
    for (const point of lastOfVersions(newestFirst)) keep('pre-upgrade', point);
    for (const point of lastOf(newestFirst, retention.daily, dateIn(timeZone, 'day'))) keep('daily', point);
    for (const point of lastOf(newestFirst, retention.weekly, dateIn(timeZone, 'week'))) keep('weekly', point);
    for (const point of lastOf(newestFirst, retention.monthly, dateIn(timeZone, 'month'))) keep('monthly', point);
  }
  return new Map([...kept].map(([bundle, reasons]) => [bundle, keepReasons.filter((reason) => reasons.has(reason))]));
}

/** The newest bundle of each class, where it is suspect: while there is one nothing of the lane expires. */
export function suspectNewest(points: readonly RestorePoint[]): RestorePoint | undefined {
  return classes.map((dataClass) => holdersOf(points, dataClass)[0]).find((point) => point?.suspect);
}

/** Ids sort by the time of Temporal's clock. */
function newestFirstOf(points: readonly RestorePoint[]): RestorePoint[] {
  return points.toSorted((a, b) => (a.bundle < b.bundle ? 1 : -1));
}

function holdersOf(points: readonly RestorePoint[], dataClass: DataClass): RestorePoint[] {
  return newestFirstOf(points.filter((point) => point.classes.includes(dataClass)));
}

function dateIn(timeZone: string, unit: 'day' | 'week' | 'month'): (point: RestorePoint) => string {
  return ({ capturedAtMs }) => localDateOf(capturedAtMs, timeZone)[unit];
}

/**
 * Of each group its last bundle (a suspect one only where the group has no other), and of these the newest. Groups are
 * ordered by the bundle that stands for them, so that the removal of others changes nothing.
 */
function lastOf(
  newestFirst: readonly RestorePoint[],
  count: number,
  groupOf: (point: RestorePoint) => string,
): RestorePoint[] {
  const last = new Map<string, RestorePoint>();
  for (const point of newestFirst) {
    const group = groupOf(point);
    const present = last.get(group);
    if (present === undefined || (present.suspect && !point.suspect)) last.set(group, point);
  }
  return newestFirstOf([...last.values()]).slice(0, count);
}

function lastOfVersions(newestFirst: readonly RestorePoint[]): RestorePoint[] {
  const known = newestFirst.filter(({ version }) => version !== null);
  return lastOf(known, versionsKept, ({ version }) => version ?? '');
}
