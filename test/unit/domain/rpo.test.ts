import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeRpo, type RpoMemory, type RpoNews, type RpoSight } from '../../../src/domain/rpo.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const rules = { graceMs: 3 * hour, remindEveryMs: 12 * hour };
const every = 10 * minute;

const sight = (capturedAtMs: number | null, more: Partial<RpoSight> = {}): RpoSight => ({
  lane: 'lane-1',
  dataClass: 1,
  objectiveMs: day,
  capturedAtMs,
  ...more,
});

/** Looks every ten minutes, as the schedule does; what was told, with when. */
function watch(
  fromMs: number,
  toMs: number,
  seen: (nowMs: number) => readonly RpoSight[],
  isTold: (nowMs: number) => boolean = () => true,
): { readonly atMs: number; readonly what: string; readonly news: RpoNews }[] {
  const told: { atMs: number; what: string; news: RpoNews }[] = [];
  let memory: readonly RpoMemory[] = [];
  for (let atMs = fromMs; atMs < toMs; atMs += every) {
    const verdicts = judgeRpo(rules, seen(atMs), memory, atMs);
    for (const { news, after, before } of verdicts)
      if (news !== null && isTold(atMs)) told.push({ atMs, what: `class ${(after ?? before)?.dataClass}`, news });
    memory = verdicts.flatMap(({ news, after, before }) => (news === null || isTold(atMs) ? after : before) ?? []);
  }
  return told;
}

/** The instants at which the wall's clock says so, in these days; by looking at every quarter of an hour. */
function nights(fromMs: number, toMs: number, timeZone: string, wanted: string): number[] {
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit' });
  const found: number[] = [];
  for (let atMs = fromMs; atMs < toMs; atMs += 15 * minute) if (clock.format(atMs).includes(wanted)) found.push(atMs);
  return found;
}

describe.each([
  ['spring', 'America/New_York', '2026-02-20T12:00:00Z', 23],
  ['autumn', 'America/New_York', '2026-10-15T12:00:00Z', 25],
  ['spring', 'Europe/Berlin', '2026-03-10T12:00:00Z', 23],
  ['autumn', 'Europe/Berlin', '2026-10-10T12:00:00Z', 25],
])('thirty days with the clocks moved in %s in %s', (_season, timeZone, start, hours) => {
  const startMs = Date.parse(start);
  const endMs = startMs + 30 * day;
  const tiersA = nights(startMs - 8 * day, endMs, timeZone, '03:15');
  const tiersB = nights(startMs - 8 * day, endMs, timeZone, 'Sun 04:00');
  /** Tier A waits half an hour for its lane and takes two minutes; tier B waits as long and takes its whole hour. */
  const sightsOf = (runsA: readonly number[], runsB: readonly number[]) => (nowMs: number) => {
    const newest = (runs: readonly number[], tookMs: number): number =>
      Math.max(...runs.filter((atMs) => atMs + 30 * minute + tookMs <= nowMs).map((atMs) => atMs + 30 * minute));
    const classTwo = newest(runsB, hour);
    return [
      sight(Math.max(newest(runsA, 2 * minute), classTwo)),
      sight(classTwo, { dataClass: 2, objectiveMs: 7 * day }),
    ];
  };

  it('has one night of another length', () => {
    const lengths = new Set(tiersA.slice(1).map((atMs, at) => (atMs - (tiersA[at] ?? 0)) / hour));
    expect(lengths).toEqual(new Set([24, hours]));
  });

  it('tells nothing while every run is made', () => {
    expect(watch(startMs, endMs, sightsOf(tiersA, tiersB))).toEqual([]);
  });

  it('tells one missed run of tier A once, within the grace and ten minutes, and that it is met again', () => {
    // the night after the one of another length, and a plain one
    const moved = tiersA.findIndex((atMs, at) => (atMs - (tiersA[at - 1] ?? 0)) / hour === hours);
    for (const missed of [moved + 1, moved + 3]) {
      const runs = tiersA.filter((_, at) => at !== missed);
      const before = [...runs, ...tiersB].filter((atMs) => atMs < (tiersA[missed] ?? 0));
      const due = Math.max(...before) + 30 * minute + day + rules.graceMs;
      const told = watch(startMs, endMs, sightsOf(runs, tiersB)).filter(({ news }) => news !== 'still missed');
      expect(told.map(({ what, news }) => [what, news])).toEqual([
        ['class 1', 'missed'],
        ['class 1', 'met again'],
      ]);
      expect(told[0]?.atMs).toBeGreaterThan(due);
      expect(told[0]?.atMs).toBeLessThanOrEqual(due + every);
    }
  });

  it('tells nothing when that night itself is missed, a Sunday: its tier B holds class 1 too', () => {
    const runs = tiersA.filter((atMs, at) => (atMs - (tiersA[at - 1] ?? 0)) / hour !== hours);
    expect(runs).toHaveLength(tiersA.length - 1);
    expect(watch(startMs, endMs, sightsOf(runs, tiersB))).toEqual([]);
  });

  it('tells one missed run of tier B by class 2 alone', () => {
    const runs = tiersB.filter((_, at) => at !== tiersB.length - 3);
    const told = watch(startMs, endMs, sightsOf(tiersA, runs)).filter(({ news }) => news !== 'still missed');
    expect(told.map(({ what, news }) => [what, news])).toEqual([
      ['class 2', 'missed'],
      ['class 2', 'met again'],
    ]);
  });
});

describe('a missed objective', () => {
  it('is told when nothing runs at all, and is reminded of as often as the file says', () => {
    const told = watch(0, 3 * day, () => [sight(0)]);
    expect(told.map(({ news }) => news)).toEqual(['missed', 'still missed', 'still missed', 'still missed']);
    const gaps = told.slice(1).map(({ atMs }, at) => atMs - (told[at]?.atMs ?? 0));
    expect(gaps).toEqual([12 * hour, 12 * hour, 12 * hour]);
  });

  it('of a lane that never had a backup counts from the first look', () => {
    expect(watch(0, 27 * hour + every, () => [sight(null)])).toEqual([]);
    expect(watch(0, 28 * hour, () => [sight(null)]).map(({ news }) => news)).toEqual(['missed']);
  });

  it('is judged by the newest known capture while the store is silent: neither met nor forgotten', () => {
    const seen = (nowMs: number): RpoSight[] => [sight(nowMs < 20 * hour ? 0 : null)];
    const told = watch(0, 30 * hour, seen);
    expect(told.map(({ news }) => news)).toEqual(['missed']);
    expect(told[0]?.atMs).toBe(27 * hour + every);
  });

  it('of a lane that is gone is told as no longer watched, once', () => {
    const told = watch(0, 40 * hour, (nowMs) => (nowMs < 30 * hour ? [sight(0)] : []));
    expect(told.map(({ news }) => news)).toEqual(['missed', 'no longer watched']);
  });

  it('is told by the next look when it could not be told', () => {
    const told = watch(
      0,
      30 * hour,
      () => [sight(0)],
      (nowMs) => nowMs > 29 * hour,
    );
    expect(told.map(({ atMs, news }) => [atMs, news])).toEqual([[29 * hour + every, 'missed']]);
  });

  it('is told once between two times that it is met, whatever is captured when', () => {
    const captures = fc.array(fc.integer({ min: 0, max: 20 * 144 }), { maxLength: 12 });
    fc.assert(
      fc.property(captures, (ticks) => {
        const runs = ticks.map((tick) => tick * every);
        const newest = (nowMs: number): number | null => {
          const made = runs.filter((atMs) => atMs <= nowMs);
          return made.length > 0 ? Math.max(...made) : null;
        };
        const told = watch(0, 20 * day, (nowMs) => [sight(newest(nowMs))]);
        const turns = told.filter(({ news }) => news !== 'still missed').map(({ news }) => news);
        expect(turns).toEqual(turns.map((_, at) => (at % 2 === 0 ? 'missed' : 'met again')));
        // never for a capture that is young enough, always for one that is not
        for (const { atMs, news } of told) {
          const ageMs = atMs - (newest(atMs) ?? 0);
          expect(ageMs > day + rules.graceMs).toBe(news !== 'met again');
        }
      }),
      { numRuns: 40 },
    );
  });
});
