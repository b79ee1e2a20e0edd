import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CutItem, cutItems } from '../../../src/bundle/cut.ts';

const segmentWeight = 1000;

interface Named extends CutItem {
  readonly name: string;
}

const named = (name: string, weight: number): Named => ({
  name,
  weight,
  draw: hash('sha256', name, 'buffer').readUInt32BE() / 2 ** 32,
});

const items = (count: number): Named[] =>
  Array.from({ length: count }, (_, at) =>
    named(
      `dir-${String(Math.floor(at / 20)).padStart(4, '0')}/file-${String(at).padStart(5, '0')}`,
      ((at * 7919) % 180) + 1,
    ),
  );

const keys = (segments: readonly (readonly Named[])[]): string[] =>
  segments.map((segment) => segment.map(({ name, weight }) => `${name}=${weight}`).join('|'));

describe('cutting', () => {
  it('keeps order and loses nothing, and no segment is too heavy but for one heavy item', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.tuple(fc.string(), fc.nat(2500)).map(([name, weight]) => named(name, weight)),
          { selector: ({ name }) => name, maxLength: 200 },
        ),
        (given) => {
          const sorted = given.toSorted((a, b) => (a.name < b.name ? -1 : 1));
          const segments = cutItems(sorted, segmentWeight);
          expect(segments.flat()).toEqual(sorted);
          for (const segment of segments) {
            expect(segment.length).toBeGreaterThan(0);
            const weight = segment.reduce((sum, item) => sum + item.weight, 0);
            expect(weight <= segmentWeight || segment.length === 1).toBe(true);
          }
        },
      ),
    );
  });

  it('makes neither far too many segments nor far too few', () => {
    const given = items(4000);
    const total = given.reduce((sum, { weight }) => sum + weight, 0);
    const count = cutItems(given, segmentWeight).length;
    expect(count).toBeGreaterThan(total / segmentWeight);
    expect(count).toBeLessThan((2.5 * total) / segmentWeight);
  });

  it('finds its feet again after an insertion, a removal or a change: few segments differ, wherever it was', () => {
    const before = items(3000);
    const known = new Set(keys(cutItems(before, segmentWeight)));
    const differing = (after: readonly Named[]): number =>
      keys(cutItems(after, segmentWeight)).filter((key) => !known.has(key)).length;
    let worst = 0;
    for (let at = 0; at < before.length; at += 173) {
      const item = before[at] as Named;
      const inserted = before.toSpliced(at, 0, named(`${item.name.slice(0, -1)}!`, 50));
      worst = Math.max(
        worst,
        differing(inserted),
        differing(before.toSpliced(at, 1)),
        differing(before.with(at, { ...item, weight: item.weight + 1 })),
      );
    }
    expect(known.size).toBeGreaterThan(250);
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThanOrEqual(8);
  });
});
