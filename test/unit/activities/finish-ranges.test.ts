import { describe, expect, it } from 'vitest';
import { lastRanges, type Look } from '../../../src/activities/restore/finish-ranges.ts';
import type { SegmentIndex } from '../../../src/bundle/index-file.ts';

const rangeLook = (path: string, sizeBytes: number, offset = 0): Look => look('range', path, sizeBytes, offset);
const tarLook = (path: string, sizeBytes: number): Look => look('tar', path, sizeBytes);

function look(kind: 'range' | 'tar', path: string, sizeBytes: number, offset = 0): Look {
  const index: SegmentIndex = {
    segment: 's-0001',
    component: 'workspace',
    kind,
    base: 'home',
    ...(kind === 'range' ? { range: { offset, length: sizeBytes - offset } } : {}),
    entries: [{ path, type: 'file', mode: 0o600, sizeBytes, mtime: '0', sha256: 'a'.repeat(64) }],
    omissions: [],
  };
  return { entry: { component: 'workspace', kind }, index };
}

const sizes = (looks: readonly Look[]): [string, number][] =>
  lastRanges(looks).map(({ file }) => [file.path.toString(), file.sizeBytes]);

describe('the size that a file in ranges is given', () => {
  it('is given once for each file, however many ranges it has', () => {
    expect(sizes([rangeLook('a', 900), rangeLook('a', 900, 300), rangeLook('b', 600)])).toEqual([
      ['a', 900],
      ['b', 600],
    ]);
  });

  it('is that of its last look: an earlier one would cut what has grown since', () => {
    expect(sizes([rangeLook('a', 600), rangeLook('a', 600, 300), rangeLook('a', 900)])).toEqual([['a', 900]]);
    expect(sizes([rangeLook('a', 900), rangeLook('a', 600)])).toEqual([['a', 600]]);
  });

  it('is not touched when the last look came in a tar: it would be filled up with zeros', () => {
    expect(sizes([rangeLook('a', 600), tarLook('a', 10)])).toEqual([]);
    expect(sizes([tarLook('a', 10), rangeLook('a', 600)])).toEqual([['a', 600]]);
  });
});
