import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localDateOf } from '../../../src/domain/calendar.ts';
import { reasonsToKeep, type RestorePoint, suspectNewest } from '../../../src/domain/retention.ts';
import { bundleIdOf } from '../../../src/domain/terms.ts';

const dayMs = 24 * 3_600_000;
const rule = { daily: 7, weekly: 5, monthly: 6 };

let serial = 0;
function point(capturedAt: string | number, more: Partial<RestorePoint> = {}): RestorePoint {
  const capturedAtMs = typeof capturedAt === 'string' ? Date.parse(capturedAt) : capturedAt;
  serial += 1;
  const bundle = bundleIdOf(capturedAtMs, serial.toString(16).padStart(8, '0'));
  return { bundle, capturedAtMs, classes: [1], version: 'v1', suspect: false, proven: false, ...more };
}
const whole = { classes: [1, 2] } as const;

/** Tier A each day at 03:15 of Tokyo, tier B on Sundays an hour later. */
function year(days: number): RestorePoint[] {
  const first = Date.parse('2025-11-22T18:15:00Z');
  return Array.from({ length: days }, (_, day) => first + day * dayMs).flatMap((atMs) => [
    point(atMs),
    ...(localDateOf(atMs, 'Asia/Tokyo').week === localDateOf(atMs + dayMs, 'Asia/Tokyo').week
      ? []
      : [point(atMs + 3_600_000, whole)]),
  ]);
}

const kept = (
  points: readonly RestorePoint[],
  retention = rule,
  zone = 'Asia/Tokyo',
): ReturnType<typeof reasonsToKeep> => reasonsToKeep(points, retention, zone);

const points = fc
  .array(
    fc.record({
      atMs: fc.integer({ min: 0, max: 500 * dayMs }).map((ms) => Date.parse('2026-01-01T00:00:00Z') + ms),
      classes: fc.constantFrom<RestorePoint['classes']>([1], [1, 2]),
      version: fc.constantFrom('v1', 'v2', 'v3', 'v4', null),
      suspect: fc.boolean(),
      proven: fc.boolean(),
    }),
    { maxLength: 40 },
  )
  .map((all) => all.map(({ atMs, ...more }) => point(atMs, more)));
const rules = fc.record({ daily: fc.nat(9), weekly: fc.nat(6), monthly: fc.nat(6) });
const zones = fc.constantFrom('UTC', 'Asia/Tokyo', 'America/New_York', 'Australia/Lord_Howe');

describe('what is kept', () => {
  it('of a year of tiers A and B is a week of days, five weeks, six months, and as much of class 2', () => {
    const all = year(365);
    const reasons = kept(all);
    const of = (reason: string): RestorePoint[] =>
      all.filter(({ bundle }) => reasons.get(bundle)?.includes(reason as 'daily'));
    const days = (some: readonly RestorePoint[]): number =>
      new Set(some.map(({ capturedAtMs }) => localDateOf(capturedAtMs, 'Asia/Tokyo').day)).size;
    expect(
      days(of('daily').filter(({ capturedAtMs }) => capturedAtMs > (all.at(-1)?.capturedAtMs ?? 0) - 6.5 * dayMs)),
    ).toBe(7);
    expect(of('weekly').filter(({ classes }) => classes.includes(2))).toHaveLength(5);
    expect(of('monthly').filter(({ classes }) => classes.includes(2))).toHaveLength(6);
    expect(reasons.size).toBeLessThan(30);
  });

  it('is the last bundle of its local day, on both days on which New York moves its clocks', () => {
    // 23 hours: 05:00Z to 04:00Z; 25 hours: 04:00Z to 05:00Z
    const spring = [point('2026-03-08T05:00:00Z'), point('2026-03-09T03:59:59Z'), point('2026-03-09T04:00:00Z')];
    const autumn = [point('2026-11-01T04:00:00Z'), point('2026-11-02T04:59:59Z'), point('2026-11-02T05:00:00Z')];
    for (const [first, last, next] of [spring, autumn] as [RestorePoint, RestorePoint, RestorePoint][]) {
      const reasons = kept([first, last, next], { daily: 2, weekly: 0, monthly: 0 }, 'America/New_York');
      expect([first, last, next].map(({ bundle }) => reasons.has(bundle))).toEqual([false, true, true]);
    }
  });

  it('is a good bundle rather than a suspect one of the same day', () => {
    const [good, bad, next] = [
      point('2026-05-01T01:00:00Z'),
      point('2026-05-01T02:00:00Z', { suspect: true }),
      point('2026-05-02T01:00:00Z'),
    ];
    const reasons = kept([good, bad, next], { daily: 2, weekly: 0, monthly: 0 });
    expect([...reasons.keys()].toSorted()).toEqual([good.bundle, next.bundle].toSorted());
  });

  it('holds the last bundle of each class before each of the last two upgrades', () => {
    const b = (day: number, version: string): RestorePoint =>
      point(`2026-05-${String(day).padStart(2, '0')}T01:00:00Z`, { version, ...whole });
    const all = [b(1, 'v1'), b(2, 'v1'), b(3, 'v2'), b(4, 'v2'), b(5, 'v3'), b(6, 'v3'), b(7, 'v4')];
    const reasons = kept(all, { daily: 1, weekly: 0, monthly: 0 });
    expect(all.map(({ bundle }) => reasons.has(bundle))).toEqual([false, false, false, true, false, true, true]);
  });

  it('does not depend on the order in which bundles are listed, nor on the time that has passed', () => {
    fc.assert(
      fc.property(points, rules, zones, (all, retention, zone) => {
        expect(kept(all.toReversed(), retention, zone)).toEqual(kept(all, retention, zone));
      }),
    );
  });

  it('always holds the newest, the newest good one and the last proven one of each class', () => {
    fc.assert(
      fc.property(points, rules, zones, (all, retention, zone) => {
        const reasons = kept(all, retention, zone);
        for (const dataClass of [1, 2] as const) {
          const own = all
            .filter(({ classes }) => classes.includes(dataClass))
            .toSorted((a, b) => (a.bundle < b.bundle ? 1 : -1));
          for (const must of [own[0], own.find((one) => !one.suspect), own.find((one) => one.proven)])
            if (must) expect(reasons.has(must.bundle)).toBe(true);
        }
      }),
    );
  });

  it('stays out once it fell out: neither newer bundles nor the removal of others bring it back', () => {
    fc.assert(
      fc.property(points, points, rules, zones, (older, newer, retention, zone) => {
        const later = newer.map(({ bundle: _, ...more }) =>
          point(more.capturedAtMs + 600 * dayMs, { ...more, capturedAtMs: more.capturedAtMs + 600 * dayMs }),
        );
        const out = older.filter(({ bundle }) => !kept(older, retention, zone).has(bundle));
        const left = older.filter((one, index) => !out.includes(one) || index % 2 === 0);
        const after = kept([...left, ...later], retention, zone);
        expect(out.filter(({ bundle }) => after.has(bundle))).toEqual([]);
      }),
    );
  });

  it('stands still for a suspect newest bundle of either class', () => {
    const good = point('2026-05-02T01:00:00Z');
    const badB = point('2026-05-01T01:00:00Z', { suspect: true, ...whole });
    expect(suspectNewest([good, badB])).toBe(badB);
    expect(suspectNewest([good, badB, point('2026-05-01T02:00:00Z', whole)])).toBeUndefined();
    expect(suspectNewest([])).toBeUndefined();
  });
});
