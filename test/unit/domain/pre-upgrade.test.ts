import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { preUpgradeOf, type VersionedBundle } from '../../../src/domain/pre-upgrade.ts';
import type { Tier } from '../../../src/domain/terms.ts';
import { compareVersions } from '../../../src/domain/version.ts';

/** `B 2026.9`, newest first. */
function bundles(...texts: readonly string[]): VersionedBundle[] {
  return texts.map((text, at) => {
    const [tier, version] = text.split(' ') as [Tier, string?];
    return { bundle: `b-${at}`, tier, version: version ?? null, capturedAt: `2026-11-${20 - at}T00:00:00Z` };
  });
}

function found(newestFirst: readonly VersionedBundle[], now: string | null): string | undefined {
  const choice = preUpgradeOf(newestFirst, now);
  return choice && `${choice.chosen.bundle} ${choice.because}`;
}

describe('the bundle before a bad upgrade', () => {
  it('is the tier B that the upgrade took, where nothing good was captured since', () => {
    expect(found(bundles('B 2026.9', 'A 2026.9', 'C 2026.9'), '2026.10')).toBe('b-0 before-upgrade');
    expect(found(bundles('A 2026.9', 'B 2026.9'), '2026.10')).toBe('b-1 before-upgrade');
  });

  it('is the last of the version before, where the present one was captured already', () => {
    expect(found(bundles('A 2026.10', 'B 2026.9'), '2026.10')).toBe('b-1 overtaken');
    expect(found(bundles('B 2026.10', 'A 2026.9', 'B 2026.9', 'B 2026.8'), '2026.10')).toBe('b-2 overtaken');
  });

  it('is not one of a version newer than the last that worked', () => {
    expect(found(bundles('A 2026.8', 'B 2026.9', 'B 2026.8'), '2026.10')).toBe('b-2 before-upgrade');
  });

  it('is the newest of all where no other version is known: that may be no upgrade', () => {
    expect(found(bundles('A 2026.9', 'B 2026.9', 'C 2026.9'), '2026.9')).toBe('b-1 no-upgrade');
    expect(found(bundles('A 2026.8', 'B'), '2026.9')).toBe('b-1 no-upgrade');
  });

  it('is the newest of a known version where the host does not tell its own', () => {
    expect(found(bundles('A 2026.9', 'B 2026.9'), null)).toBe('b-1 before-upgrade');
  });

  it('is none without class 2', () => {
    expect(found(bundles('A 2026.9'), '2026.10')).toBeUndefined();
    expect(found([], '2026.10')).toBeUndefined();
  });

  it('always holds class 2, and is never of the present version when another is there to go back to', () => {
    const version = fc.constantFrom('2026.8', '2026.9', '2026.10');
    const one = fc
      .tuple(fc.constantFrom('A', 'B', 'C'), fc.option(version))
      .map((parts) => parts.filter(Boolean).join(' '));
    fc.assert(
      fc.property(fc.array(one, { maxLength: 8 }), version, (texts, now) => {
        const all = bundles(...texts);
        const choice = preUpgradeOf(all, now);
        if (choice === undefined) {
          expect(all.every(({ tier }) => tier === 'A')).toBe(true);
          return;
        }
        expect(choice.chosen.tier).not.toBe('A');
        if (choice.because === 'no-upgrade') return;
        expect(choice.chosen.version).not.toBe(now);
        const worked = all.find((bundle) => bundle.version !== null && bundle.version !== now)?.version ?? '';
        expect(compareVersions(choice.chosen.version ?? '', worked)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
