import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manifestKey } from '../../../src/bundle/object-keys.ts';
import {
  archiveKey,
  gateDayStates,
  type GateIdentity,
  gateTable,
  guardrailPlan,
  identityChange,
  judgeGuardrails,
  leastSquares,
  samplesExpected,
  sharedBetween,
  signingFault,
  tooSlowAdvice,
} from '../../../src/domain/gate.ts';

const passed = gateTable.map(({ day }) => ({ day, state: day === 7 ? ('running' as const) : ('passed' as const) }));

describe('a signature', () => {
  it('is taken on day 7 when every day before has passed, or is not applicable to one lane', () => {
    expect(signingFault(passed)).toBeUndefined();
    const one = passed.map((row) => (row.day === 6 ? { ...row, state: 'not-applicable' as const } : row));
    expect(signingFault(one)).toBeUndefined();
  });

  it('is refused for anything else, whatever the days are', () => {
    const standing = fc.constantFrom(...gateDayStates);
    const all = fc.array(standing, { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(all, (states) => {
        const rows = states.map((state, day) => ({ day, state }));
        const mayBe = rows.every(({ day, state }) => {
          if (day === 7) return state === 'running';
          return state === 'passed' || (day === 6 && state === 'not-applicable');
        });
        expect(signingFault(rows) === undefined).toBe(mayBe);
      }),
    );
  });

  it('names the failed day first', () => {
    const rows = passed.map((row) => (row.day === 4 ? { ...row, state: 'failed' as const } : row));
    expect(signingFault(rows)).toBe('day 4 failed');
    expect(signingFault(gateTable.map(({ day }) => ({ day, state: 'waiting' as const })))).toContain('not passed yet');
  });
});

describe('what a gate is of', () => {
  const before: GateIdentity = {
    host: 'mac-1',
    hostKey: 'ssh-ed25519 AAAA',
    lanes: [
      { lane: 'lane-1', openclaw: '2026.11.1' },
      { lane: 'lane-2', openclaw: '2026.11.1' },
    ],
  };
  const [first, second] = before.lanes as [GateIdentity['lanes'][number], GateIdentity['lanes'][number]];

  it('is the same while machine, lanes and versions are', () => {
    expect(identityChange(before, structuredClone(before))).toBeUndefined();
  });

  it.each([
    [{ ...before, hostKey: 'ssh-ed25519 BBBB' }, 'another machine'],
    [{ ...before, lanes: [first] }, 'the lanes were lane-1, lane-2, and are lane-1'],
    [
      { ...before, lanes: [first, { ...second, openclaw: '2026.11.2' }] },
      'OpenClaw of lane-2 was 2026.11.1, and is 2026.11.2',
    ],
    [{ ...before, lanes: [{ ...first, openclaw: null }, second] }, 'is unknown'],
  ])('is another one: %#', (now, why) => {
    expect(identityChange(before, now)).toContain(why);
  });
});

describe('guardrails', () => {
  const plan = guardrailPlan(null);
  const expected = samplesExpected(plan);
  const total = 256e9;
  const flat = (permille: number): (number | null)[] => Array.from({ length: expected }, () => permille);

  it('look every 15 minutes for 72 hours, and three days of a demonstration', () => {
    expect([expected, plan.everyMs * expected]).toEqual([288, 72 * 3_600_000]);
    expect(samplesExpected(guardrailPlan(10_000))).toBe(24);
  });

  it('hold with a disk that stays under 80 %, and not at 80 %', () => {
    expect(judgeGuardrails(plan, flat(799), total).ok).toBe(true);
    const full = judgeGuardrails(plan, [...flat(500).slice(1), 800], total);
    expect(full.advice).toEqual(['the disk was 80.0 % full, under 80.0 % is asked: free 256.0 MB, or add NVMe']);
  });

  it('hold exactly while the trend stays under 90 % for seven more days', () => {
    // from 50 % by so much a look
    const rising = fc.integer({ min: 0, max: 1000 }).map((perMille) => perMille / 1000);
    fc.assert(
      fc.property(rising, (slope) => {
        const samples = flat(0).map((_, at) => 500 + slope * at);
        const ahead = 500 + slope * (expected - 1 + 7 * 96);
        const { ok, advice } = judgeGuardrails(plan, samples, total);
        expect(ok).toBe(Math.max(...samples) < 800 && ahead < 900);
        expect(advice.some((text) => text.includes('its trend leads to'))).toBe(ahead >= 900);
      }),
    );
  });

  it('miss at most a tenth of the looks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: expected }), (missing) => {
        const samples = flat(500).map((used, at) => (at < missing ? null : used));
        expect(judgeGuardrails(plan, samples, total).ok).toBe(missing <= 28);
      }),
    );
    expect(judgeGuardrails(plan, flat(500).slice(0, 200), total).advice[0]).toContain('88 of 288 looks are missing');
  });

  it('of a demonstration tell what was missed, and need one look', () => {
    const short = guardrailPlan(10_000);
    const { ok, evidence } = judgeGuardrails(short, [500, null, 510], total);
    expect(ok).toBe(true);
    expect(evidence[0]).toContain('22 missing (a demonstration: not held against it)');
    expect(judgeGuardrails(short, [null], total).ok).toBe(false);
  });
});

describe('the least-squares line', () => {
  it('is the line that points lie on', () => {
    const line = fc.record({ from: fc.integer({ min: -1000, max: 1000 }), slope: fc.integer({ min: -50, max: 50 }) });
    fc.assert(
      fc.property(line, fc.uniqueArray(fc.integer({ min: 0, max: 288 }), { minLength: 2 }), ({ from, slope }, xs) => {
        const found = leastSquares(xs.map((x) => ({ x, y: from + slope * x })));
        expect(found?.from).toBeCloseTo(from, 6);
        expect(found?.slope).toBeCloseTo(slope, 6);
      }),
    );
  });

  it('is none through fewer than two different points', () => {
    expect(leastSquares([])).toBeUndefined();
    expect(
      leastSquares([
        { x: 3, y: 1 },
        { x: 3, y: 2 },
      ]),
    ).toBeUndefined();
  });
});

describe('archives', () => {
  const archive = (lane: string, digit: string) => ({
    lane,
    bundle: `20261122T031500Z-${digit.repeat(8)}`,
    key: archiveKey(lane, `20261122T031500Z-${digit.repeat(8)}`),
    manifestSha256: digit.repeat(64),
  });

  it('are distinct by id, key and digest', () => {
    expect(sharedBetween([archive('lane-1', '1'), archive('lane-2', '2')])).toBeUndefined();
    expect(sharedBetween([archive('lane-1', '1'), archive('lane-2', '1')])).toContain(
      'lane-1 and lane-2 have the same bundle',
    );
    const copied = { ...archive('lane-2', '2'), manifestSha256: '1'.repeat(64) };
    expect(sharedBetween([archive('lane-1', '1'), copied])).toContain('same manifestSha256');
  });

  it('have the key that their manifest has in the store', () => {
    const bundle = '20261122T031500Z-1a2b3c4d';
    expect(archiveKey('lane-1', bundle)).toBe(manifestKey('lane-1', bundle));
  });
});

describe('advice for what took too long', () => {
  it('says how much to take out of class 2', () => {
    const text = tooSlowAdvice(120 * 60_000, 90 * 60_000, 40e9);
    expect(text).toBe(
      'it took 2 h of 1 h 30 m: take 25 % (10.0 GB of 40.0 GB) out of class 2 (`exclude` of the lane), or add NVMe',
    );
  });
});
