import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertNever } from '../../../src/domain/assert-never.ts';
import {
  bundleIdOf,
  bundleIdPattern,
  classOf,
  components,
  componentsOf,
  lanePattern,
  tiers,
} from '../../../src/domain/terms.ts';

describe('components', () => {
  it('are of one class each: identity is 1, everything else 2', () => {
    expect(components.filter((component) => classOf(component) === 1)).toEqual(['config', 'plists', 'secrets']);
    expect(components.filter((component) => classOf(component) === 2)).toEqual(['transcripts', 'workspace', 'logs']);
  });
});

describe('tiers', () => {
  it('hold class 1 (A), everything (B), one lane whole without the logs of the host (C)', () => {
    expect(tiers.map(componentsOf)).toEqual([
      ['config', 'plists', 'secrets'],
      [...components],
      ['config', 'plists', 'secrets', 'transcripts', 'workspace'],
    ]);
  });

  it('all hold class 1 whole, so that each can bring a lane back to life', () => {
    for (const tier of tiers)
      expect(componentsOf(tier)).toEqual(
        expect.arrayContaining(components.filter((component) => classOf(component) === 1)),
      );
  });
});

describe('a lane id', () => {
  it.each(['lane-1', 'a', '7', 'a'.repeat(40), 'a-b-c'])('may be %s', (id) => expect(id).toMatch(lanePattern));
  it.each(['', '-a', 'a-', 'A', 'a/b', 'a_b', '..', 'a'.repeat(41), 'a\nb', 'lane 1'])('may not be %j', (id) =>
    expect(id).not.toMatch(lanePattern),
  );
});

describe('a bundle id', () => {
  it('comes from start and run alone, has its form, and sorts by time', () => {
    const instant = fc.integer({ min: 0, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(instant, instant, fc.uuid(), (a, b, run) => {
        const [first, second] = [bundleIdOf(a, run), bundleIdOf(b, run)];
        expect(first).toMatch(bundleIdPattern);
        expect(bundleIdOf(a, run)).toBe(first);
        const [secondsA, secondsB] = [Math.floor(a / 1000), Math.floor(b / 1000)];
        if (secondsA !== secondsB) expect(first < second).toBe(secondsA < secondsB);
      }),
    );
    expect(bundleIdOf(Date.UTC(2026, 10, 22, 3, 15, 0, 999), '0123abcd-4567-4000-8000-0123456789ab')).toBe(
      '20261122T031500Z-456789ab',
    );
  });
});

describe('a switch that forgot a case', () => {
  it('fails loudly when it is reached nevertheless', () => {
    expect(() => assertNever('surprise' as never)).toThrow('unreachable: surprise');
  });
});
