// When the watch calls something a signal: each of the five, what is none, and what must hold for any history of a fleet.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeSignals, seenOpen } from '../../../src/domain/judge-signals.ts';
import { limits } from '../../../src/domain/limits.ts';
import {
  type FleetSample,
  isCutOff,
  type LaneSample,
  type Reach,
  type SampledHost,
  type SignalRules,
  type Verdict,
  type WatchMemory,
} from '../../../src/domain/signals.ts';

const second = 1000;
const minute = 60 * second;
const everyMs = 50 * second;
const startMs = Date.UTC(2026, 10, 22, 3);

const rules: SignalRules = {
  exitLoop: { restarts: 3, withinMs: 5 * minute },
  disk: { full: 90, clear: 85, samples: 2 },
  crossWrite: { silentMs: 10 * minute, filesEveryMs: 10 * minute },
  region: { silentMs: 2 * minute, hosts: 2 },
  host: { silentMs: 10 * minute },
  clearMs: 2 * minute,
  againMs: 60 * minute,
};

function lane(name: string, more: Partial<LaneSample> = {}): LaneSample {
  return {
    lane: name,
    planned: false,
    runs: 1,
    pid: 70,
    answered: true,
    diskUsed: 40,
    foreign: [],
    held: false,
    ...more,
  };
}

interface Drawn {
  readonly reach?: Reach;
  readonly region?: string;
  readonly lanes?: readonly LaneSample[];
  readonly laneNames?: readonly string[];
}

function host(
  name: string,
  { reach = 'answers', region = 'hk', lanes = [lane(`on-${name}`)], laneNames }: Drawn = {},
): SampledHost {
  return {
    host: name,
    region,
    reach,
    clockOffsetMs: 0,
    lanes: reach === 'answers' ? lanes : [],
    laneNames: laneNames ?? lanes.map((one) => one.lane),
  };
}

type Draw = (at: number) => Pick<FleetSample, 'hosts'> & Partial<Pick<FleetSample, 'controls' | 'stores'>>;

/** Looks at a fleet so often, 50 s apart. @returns each look's verdict, and when */
function watch(
  looks: number,
  draw: Draw,
  { from, gapMs = everyMs }: { from?: WatchMemory; gapMs?: number } = {},
): Verdict[] {
  let memory = from;
  const first = from === undefined ? startMs : from.atMs + gapMs;
  return Array.from({ length: looks }, (_, at) => {
    const verdict = judgeSignals(rules, { controls: [], stores: [], ...draw(at), atMs: first + at * gapMs }, memory);
    memory = JSON.parse(JSON.stringify(verdict.memory)) as WatchMemory;
    return verdict;
  });
}

const opened = (verdicts: readonly Verdict[]): string[] =>
  verdicts.flatMap(({ open }, at) => open.map(({ scenario, subject }) => `${at} ${scenario} ${subject}`));
const clearedIn = (verdicts: readonly Verdict[]): string[] =>
  verdicts.flatMap(({ cleared }, at) => cleared.map(({ scenario, subject }) => `${at} ${scenario} ${subject}`));

describe('an exit loop', () => {
  const loop: Draw = (at) => ({ hosts: [host('mac-1', { lanes: [lane('a', { runs: 1 + at, answered: at === 0 })] })] });

  it('is three restarts in five minutes', () => {
    expect(opened(watch(10, loop))).toEqual(['3 bad-upgrade a']);
  });

  it('is none when the restarts are further apart, or the gateway answers in the end', () => {
    const slow: Draw = (at) => ({
      hosts: [host('mac-1', { lanes: [lane('a', { runs: 1 + Math.floor(at / 4), answered: false })] })],
    });
    expect(opened(watch(40, slow))).toEqual([]);
    const worked: Draw = (at) => ({ hosts: [host('mac-1', { lanes: [lane('a', { runs: 1 + Math.min(at, 3) })] })] });
    expect(opened(watch(20, worked))).toEqual([]);
  });

  it('is told by pids where launchd does not count, and counts a job that was loaded anew', () => {
    const byPid: Draw = (at) => ({
      hosts: [host('mac-1', { lanes: [lane('a', { runs: null, pid: 70 + at, answered: at === 0 })] })],
    });
    expect(opened(watch(5, byPid))).toEqual(['3 bad-upgrade a']);
    const anew: Draw = (at) => ({
      hosts: [host('mac-1', { lanes: [lane('a', { runs: at === 0 ? 9 : 4, answered: at === 0 })] })],
    });
    expect(opened(watch(3, anew))).toEqual(['1 bad-upgrade a']);
  });

  it('is none while its own section works on the lane, nor from the restarts of that time', () => {
    const upgrade: Draw = (at) => ({
      hosts: [host('mac-1', { lanes: [lane('a', { runs: 1 + Math.min(at, 5), planned: at < 6, answered: at > 8 })] })],
    });
    expect(opened(watch(20, upgrade))).toEqual([]);
  });

  it('opens its incident again an hour after that was seen to go on last, not after it was opened', () => {
    const [, , , found] = watch(4, loop);
    const memory = found?.memory as WatchMemory;
    const endedMs = memory.atMs + 40 * minute;
    const known = seenOpen(memory, endedMs, ({ scenario }) => scenario === 'bad-upgrade');
    expect(known.signals.map(({ openedAtMs }) => openedAtMs)).toEqual([endedMs]);
    expect(seenOpen(memory, endedMs, () => false)).toEqual(memory);
    const still: Draw = (at) => ({ hosts: [host('mac-1', { lanes: [lane('a', { runs: 9 + at, answered: false })] })] });
    // the 72nd look, 50 s apart each
    expect(opened(watch(100, still, { from: { ...known, atMs: endedMs } }))).toEqual(['71 bad-upgrade a']);
  });

  it('starts over when what was remembered is lost or too old', () => {
    const [, , third] = watch(3, loop);
    const later: Draw = (at) => ({ hosts: [host('mac-1', { lanes: [lane('a', { runs: 9 + at, answered: false })] })] });
    expect(opened(watch(2, later))).toEqual([]);
    expect(opened(watch(2, later, { from: third?.memory as WatchMemory }))).toEqual(['0 bad-upgrade a']);
    expect(opened(watch(2, later, { from: third?.memory as WatchMemory, gapMs: limits.watchGapMs + 1 }))).toEqual([]);
  });
});

describe('a full disk', () => {
  const disk =
    (percents: readonly number[]): Draw =>
    (at) => ({
      hosts: [host('mac-1', { lanes: [lane('a', { diskUsed: percents[at] ?? 0 }), lane('b')] })],
    });

  it('is 90 % in two samples, one after the other', () => {
    expect(opened(watch(2, disk([90, 95])))).toEqual(['1 disk-full mac-1']);
    expect(opened(watch(4, disk([95, 89.9, 95, 80])))).toEqual([]);
  });

  it('stays until it is well below, and has cleared two minutes later', () => {
    const verdicts = watch(9, disk([95, 95, 89, 86, 91, 70, 70, 70, 70]));
    expect(opened(verdicts)).toEqual(['1 disk-full mac-1']);
    expect(clearedIn(verdicts)).toEqual(['8 disk-full mac-1']);
  });
});

describe('cross-write', () => {
  const silent =
    (names: readonly string[], from = 0): Draw =>
    (at) => ({
      hosts: [
        host('mac-1', {
          lanes: ['a', 'b', 'c'].map((name) => lane(name, { answered: at < from || !names.includes(name) })),
        }),
      ],
    });

  it('is two lanes of a host that answer no probe for ten minutes', () => {
    const verdicts = watch(20, silent(['a', 'c'], 2));
    expect(opened(verdicts)).toEqual(['14 cross-write mac-1']);
    expect(verdicts[14]?.open[0]).toMatchObject({
      code: 'silent-lanes',
      lanes: ['a', 'c'],
      sinceMs: startMs + 2 * everyMs,
    });
    expect(opened(watch(40, silent(['a'])))).toEqual([]);
  });

  it('is none while a host is away, while it boots, and while a lane is stopped on purpose', () => {
    const away: Draw = (at) => ({
      hosts: [
        host('mac-1', {
          reach: at > 2 && at < 30 ? 'timeout' : 'answers',
          lanes: ['a', 'b'].map((name) => lane(name, { answered: at <= 2 || at > 34 })),
        }),
      ],
      controls: [{ region: 'hk', answers: true }],
    });
    expect(opened(watch(40, away)).filter((line) => line.includes('cross-write'))).toEqual([]);
    const planned: Draw = () => ({
      hosts: [
        host('mac-1', { lanes: [lane('a', { answered: false, planned: true }), lane('b', { answered: false })] }),
      ],
    });
    expect(opened(watch(40, planned))).toEqual([]);
  });

  it("is a file of another lane's user in a lane's tree, until a look finds none", () => {
    const files: Draw = (at) => ({
      hosts: [
        host('mac-1', {
          lanes: [
            lane('a', {
              foreign: [[{ lane: 'c', count: 3 }], ...Array.from({ length: 11 }, () => null), []][at] ?? null,
            }),
            lane('b', { foreign: at % 12 === 0 ? [] : null }),
            lane('c', { foreign: at % 12 === 0 ? [] : null }),
          ],
        }),
      ],
    });
    const verdicts = watch(20, files);
    expect(opened(verdicts)).toEqual(['0 cross-write mac-1']);
    expect(verdicts[0]?.open[0]).toMatchObject({ code: 'foreign-files', lanes: ['a', 'c'] });
    expect(verdicts[11]?.present).toHaveLength(1);
    expect(clearedIn(verdicts)).toEqual(['15 cross-write mac-1']);
  });
});

describe('a lost region', () => {
  const lost =
    (more: (at: number) => Partial<FleetSample>): Draw =>
    (at) => ({
      hosts: [host('hk-1', { reach: 'timeout' }), host('hk-2', { reach: 'timeout' })],
      controls: [{ region: 'hk', answers: true }],
      ...more(at),
    });

  it('is all its hosts timing out while its control address answers, and then no host of it is a lost host', () => {
    const verdicts = watch(
      30,
      lost(() => ({})),
    );
    expect(opened(verdicts)).toEqual(['3 region-loss hk']);
    expect(verdicts[29]?.present).toHaveLength(1);
  });

  it('is none when the control address does not answer, when one host refuses, and when there is one host alone', () => {
    const peer = host('jp-1', { region: 'tokyo' });
    const down = [{ region: 'hk', answers: false }];
    const silentControl = watch(
      8,
      lost(() => ({
        controls: down,
        hosts: [host('hk-1', { reach: 'timeout' }), host('hk-2', { reach: 'timeout' }), peer],
      })),
    );
    expect(opened(silentControl)).toEqual([]);
    const refusing = watch(
      8,
      lost(() => ({ hosts: [host('hk-1', { reach: 'timeout' }), host('hk-2', { reach: 'refused' })] })),
    );
    expect(opened(refusing)).toEqual([]);
    expect(
      opened(
        watch(
          30,
          lost(() => ({ hosts: [host('hk-1', { reach: 'timeout' }), peer] })),
        ),
      ),
    ).toEqual(['12 host-loss hk-1']);
  });

  it('without a control address is vouched for by stores elsewhere', () => {
    const hosts = ['hk-1', 'hk-2'].map((name) => host(name, { reach: 'timeout' }));
    const store = (region: string, answers: boolean) => ({ hosts, stores: [{ region, answers }] });
    expect(opened(watch(30, () => store('tokyo', true)))).toEqual(['3 region-loss hk']);
    expect(opened(watch(30, () => store('tokyo', false)))).toEqual([]);
  });

  it('without a control address is vouched for by hosts elsewhere', () => {
    const peer = host('jp-1', { region: 'tokyo' });
    const hosts = [host('hk-1', { reach: 'timeout' }), host('hk-2', { reach: 'timeout' })];
    expect(opened(watch(8, () => ({ hosts: [...hosts, peer] })))).toEqual(['3 region-loss hk']);
    expect(opened(watch(30, () => ({ hosts })))).toEqual([]);
  });
});

describe('a lost host', () => {
  it('is one that does not answer for ten minutes while its peers do, refused or timed out', () => {
    for (const reach of ['timeout', 'refused'] as const) {
      const verdicts = watch(20, () => ({ hosts: [host('hk-1', { reach }), host('hk-2')] }));
      expect(opened(verdicts)).toEqual(['12 host-loss hk-1']);
    }
  });

  it('counts only the time in which somebody vouched for it', () => {
    const halting: Draw = (at) => ({
      hosts: [host('hk-1', { reach: 'timeout' }), host('hk-2', { reach: at === 8 ? 'refused' : 'answers' })],
      controls: [],
    });
    expect(opened(watch(30, halting))).toEqual(['21 host-loss hk-1']);
  });

  it('is the only one of its fleet, or of those that are left, while a control address answers, or a store does', () => {
    const alone: Draw = () => ({ hosts: [host('hk-1', { reach: 'timeout' })] });
    const at = (region: string, answers = true) => [{ region, answers }];
    expect(opened(watch(30, alone))).toEqual([]);
    expect(opened(watch(30, () => ({ ...alone(0), controls: at('hk') })))).toEqual(['12 host-loss hk-1']);
    expect(opened(watch(30, () => ({ ...alone(0), stores: at('hk') })))).toEqual(['12 host-loss hk-1']);
    expect(opened(watch(30, () => ({ ...alone(0), stores: at('hk', false) })))).toEqual([]);
    // the operator's own word goes before
    expect(opened(watch(30, () => ({ ...alone(0), controls: at('hk', false), stores: at('hk') })))).toEqual([]);
  });

  it('is each of a region whose store still answers: that region is not lost', () => {
    const hosts = ['hk-1', 'hk-2'].map((name) => host(name, { reach: 'timeout' }));
    const verdicts = watch(30, () => ({ hosts, stores: [{ region: 'hk', answers: true }] }));
    expect(opened(verdicts)).toEqual(['12 host-loss hk-1', '12 host-loss hk-2']);
  });

  it('is none when it shows another key, refuses the login, or is odd', () => {
    for (const reach of ['key-changed', 'login-refused', 'odd'] as const)
      expect(opened(watch(30, () => ({ hosts: [host('hk-1', { reach }), host('hk-2')] })))).toEqual([]);
  });

  it('has cleared two minutes after it answered again', () => {
    const back = watch(25, (at) => ({
      hosts: [host('hk-1', { reach: at < 15 ? 'timeout' : 'answers' }), host('hk-2')],
    }));
    expect(clearedIn(back)).toEqual(['18 host-loss hk-1']);
  });
});

describe('a signal that stays', () => {
  it('opens its incident again after an hour, not before, and not at once when it comes back', () => {
    const full: Draw = (at) => ({
      hosts: [host('mac-1', { lanes: [lane('a', { diskUsed: at >= 20 && at < 30 ? 10 : 95 })] })],
    });
    const verdicts = watch(100, full);
    expect(opened(verdicts)).toEqual(['1 disk-full mac-1', '73 disk-full mac-1']);
    expect(clearedIn(verdicts)).toEqual(['23 disk-full mac-1']);
  });

  it('whose lane cannot be seen is held, and clears when the lane has left the fleet', () => {
    const leaving: Draw = (at) => {
      const lanes = [lane('a', { runs: 1 + at, answered: false })];
      if (at < 5) return { hosts: [host('mac-1', { lanes }), host('mac-2')] };
      const away = host('mac-1', { reach: 'odd', laneNames: ['a'] });
      return { hosts: [at < 15 ? away : host('mac-1'), host('mac-2')] };
    };
    const verdicts = watch(20, leaving);
    expect(verdicts[14]?.present).toMatchObject([{ scenario: 'bad-upgrade', subject: 'a' }]);
    expect(clearedIn(verdicts)).toEqual(['18 bad-upgrade a']);
  });
});

// --- properties -------------------------------------------------------------------------------------------------

const reaches: readonly Reach[] = ['answers', 'odd', 'key-changed', 'login-refused', 'refused', 'timeout', 'unknown'];
const anyReach = fc.oneof({ weight: 6, arbitrary: fc.constant<Reach>('answers') }, fc.constantFrom(...reaches));
const anyLane = (name: string): fc.Arbitrary<LaneSample> =>
  fc.record({
    lane: fc.constant(name),
    planned: fc.boolean(),
    runs: fc.option(fc.integer({ min: 1, max: 6 })),
    pid: fc.option(fc.integer({ min: 70, max: 74 })),
    answered: fc.boolean(),
    diskUsed: fc.option(fc.integer({ min: 80, max: 95 })),
    foreign: fc.option(fc.constantFrom([], [{ lane: 'b', count: 2 }])),
    held: fc.boolean(),
  });
const anyHost = (name: string, region: string, lanes: readonly string[]): fc.Arbitrary<SampledHost> =>
  fc
    .tuple(anyReach, fc.tuple(...lanes.map(anyLane)))
    .map(([reach, samples]) => host(name, { reach, region, lanes: samples, laneNames: lanes }));
const anyLook = fc.record({
  hosts: fc.tuple(anyHost('hk-1', 'hk', ['a', 'b']), anyHost('hk-2', 'hk', ['c']), anyHost('jp-1', 'tokyo', ['d'])),
  controls: fc.constantFrom([], [{ region: 'hk', answers: true }], [{ region: 'hk', answers: false }]),
  stores: fc.constantFrom([], [{ region: 'hk', answers: true }], [{ region: 'tokyo', answers: true }]),
});
/** Several looks at the same thing are what signals are made of. */
const anyHistory = fc
  .array(fc.tuple(anyLook, fc.integer({ min: 1, max: 16 })), { minLength: 1, maxLength: 12 })
  .map((runs) => runs.flatMap(([look, times]) => Array.from({ length: times }, () => look)));

describe('for any history of a fleet', () => {
  it('no incident opens twice within the hour, and each that is told as cleared was there', () => {
    fc.assert(
      fc.property(anyHistory, (looks) => {
        const lastOpened = new Map<string, number>();
        const there = new Set<string>();
        for (const { open, cleared, present, memory } of watch(
          looks.length,
          (at) => looks[at] as (typeof looks)[number],
        )) {
          for (const { scenario, subject } of open) {
            const key = `${scenario} ${subject}`;
            const earlier = lastOpened.get(key);
            expect(earlier === undefined || memory.atMs - earlier >= rules.againMs).toBe(true);
            lastOpened.set(key, memory.atMs);
          }
          for (const { scenario, subject } of cleared) expect(there.delete(`${scenario} ${subject}`)).toBe(true);
          for (const { scenario, subject } of present) there.add(`${scenario} ${subject}`);
        }
      }),
    );
  });

  it('nothing opens, and nothing clears, in a look at which nothing answered', () => {
    fc.assert(
      fc.property(anyHistory, (looks) => {
        const verdicts = watch(looks.length, (at) => looks[at] as (typeof looks)[number]);
        for (const [at, { open, cleared, cutOff }] of verdicts.entries()) {
          expect(cutOff).toBe(isCutOff({ atMs: 0, ...(looks[at] as (typeof looks)[number]) }));
          if (cutOff) expect([open, cleared]).toEqual([[], []]);
        }
      }),
    );
  });

  it('the order of hosts and lanes in a look makes no difference', () => {
    fc.assert(
      fc.property(anyHistory, (looks) => {
        const turned = looks.map(({ hosts, controls, stores }) => ({
          controls,
          stores,
          hosts: hosts
            .toReversed()
            .map((one) => ({ ...one, lanes: one.lanes.toReversed(), laneNames: one.laneNames.toReversed() })),
        }));
        const as = (list: readonly ReturnType<Draw>[]): Verdict[] =>
          watch(list.length, (at) => list[at] as ReturnType<Draw>);
        expect(as(turned)).toEqual(as(looks));
      }),
    );
  });

  it('everything that is there clears once all is well', () => {
    const well = {
      hosts: [
        host('hk-1', { lanes: [lane('a'), lane('b')] }),
        host('hk-2', { lanes: [lane('c')] }),
        host('jp-1', { region: 'tokyo', lanes: [lane('d')] }),
      ],
    };
    fc.assert(
      fc.property(anyHistory, (looks) => {
        const last = watch(looks.length, (at) => looks[at] as (typeof looks)[number]).at(-1);
        const after = watch(20, () => well, { from: last?.memory as WatchMemory });
        expect(after.at(-1)?.present).toEqual([]);
      }),
    );
  });

  it('what is remembered stays small', () => {
    fc.assert(
      fc.property(anyHistory, (looks) => {
        for (const { memory } of watch(looks.length, (at) => looks[at] as (typeof looks)[number]))
          expect(JSON.stringify(memory).length).toBeLessThan(4 * 400 + 3 * 100 + 15 * 150);
      }),
    );
  });
});

describe('30 days of a sound fleet', () => {
  it('open nothing: with backups, restores, reboots, a busy disk, single lost probes and an evening without network', () => {
    const looks = (30 * 24 * 3600 * second) / everyMs;
    let seed = 7;
    const chance = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    let runs = 1;
    let rebootsFor = 0;
    let restoresFor = 0;
    let offFor = 0;
    const verdicts = watch(looks, (at) => {
      offFor = at === 30_000 ? 200 : Math.max(0, offFor - 1);
      if (rebootsFor === 0 && chance() < 1 / 3000) [rebootsFor, runs] = [5, 1];
      else rebootsFor = Math.max(0, rebootsFor - 1);
      if (restoresFor === 0 && chance() < 1 / 2000) restoresFor = 25;
      else restoresFor = Math.max(0, restoresFor - 1);
      if (restoresFor === 1 || chance() < 1 / 1500) runs += 1;
      const silent = rebootsFor > 0 && rebootsFor < 3;
      const lanes = ['a', 'b', 'c'].map((name, index) =>
        lane(name, {
          runs,
          planned: index === 0 && restoresFor > 0,
          answered: !(silent || (index === 0 && restoresFor > 0) || chance() < 1 / 200),
          // one sample over the mark, now and then, is somebody's large file
          diskUsed: at % 97 === 0 ? 93 : 60 + (at % 1728) / 70,
          foreign: at % 12 === 0 ? [] : null,
        }),
      );
      const reach = (up: boolean): Reach => (offFor === 0 && up ? 'answers' : 'timeout');
      return {
        hosts: [
          host('hk-1', { reach: reach(rebootsFor < 3), lanes, laneNames: ['a', 'b', 'c'] }),
          host('hk-2', { reach: reach(chance() > 1 / 500), lanes: [lane('d')] }),
        ],
        controls: [{ region: 'hk', answers: offFor === 0 }],
      };
    });
    expect(opened(verdicts)).toEqual([]);
  });
});
