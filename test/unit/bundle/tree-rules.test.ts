import { describe, expect, it } from 'vitest';
import { type IndexEntry } from '../../../src/bundle/index-file.ts';
import { requireOneTree, requireWholeFiles } from '../../../src/bundle/restore-plan.ts';
import { nameFault } from '../../../src/bundle/tree-rules.ts';
import { limits } from '../../../src/domain/limits.ts';

const member = (path: string, type: IndexEntry['type'], link?: string): IndexEntry => ({
  path,
  type,
  mode: 0o644,
  sizeBytes: 10,
  mtime: '0',
  ...(link !== undefined && { link }),
});
const tree = [
  [
    member('d/file', 'file'),
    member('d/other-name', 'link', 'd/file'),
    member('d/link', 'symlink', '/etc'),
    member('d', 'directory'),
  ],
];
const hostile = expect.objectContaining({ code: 'ArchiveHostile' });
const supplement =
  (kind: 'tar' | 'range' | 'directories', ...entries: IndexEntry[]): (() => void) =>
  () =>
    requireOneTree(tree, [{ kind, entries }]);

describe('a name', () => {
  it.each(['a', 'a/b', '.hidden', '..x', 'a..b', 'x'.repeat(limits.pathBytes)])('may be %j', (name) =>
    expect(nameFault(name)).toBeUndefined(),
  );
  it.each([
    '',
    '/',
    '/a',
    '..',
    'a/..',
    '../a',
    './a',
    'a/./b',
    'a//b',
    'a/',
    'a\0b',
    'x'.repeat(limits.pathBytes + 1),
  ])('may not be %j', (name) => expect(nameFault(name)).toBeDefined());
});

describe('a supplement', () => {
  it('takes the place of what is there, and may bring more', () => {
    expect(supplement('tar', member('d/file', 'file'), member('d/new', 'file'))).not.toThrow();
    expect(supplement('tar', member('d/link', 'file'))).not.toThrow();
    expect(supplement('tar', member('d/link', 'link', 'd/file'))).not.toThrow();
    expect(supplement('range', member('d/file', 'file'))).not.toThrow();
    expect(supplement('directories', member('d', 'directory'))).not.toThrow();
  });

  it('never puts a file in the place of a directory, nor the reverse', () => {
    expect(supplement('tar', member('d', 'file'))).toThrow(hostile);
    expect(supplement('directories', member('d/file', 'directory'))).toThrow(hostile);
  });

  it('never writes into a link, nor leads through one, nor links to nothing', () => {
    expect(supplement('range', member('d/link', 'file'))).toThrow(hostile);
    expect(supplement('tar', member('d/link/passwd', 'file'))).toThrow(hostile);
    expect(supplement('tar', member('d/file', 'link', 'd/absent'))).toThrow(hostile);
  });
});

describe('the ranges of a file', () => {
  const piece = (
    offset: number,
    length: number,
    more: Partial<IndexEntry> = {},
  ): { entry: IndexEntry; offset: number; length: number } => ({
    entry: { ...member('big', 'file'), ...more },
    offset,
    length,
  });
  const damaged = expect.objectContaining({ code: 'BundleDamaged' });

  it('make it up, in whatever order they come; an empty file is one empty range', () => {
    expect(() =>
      requireWholeFiles([piece(6, 4), piece(0, 6), piece(0, 0, { path: 'empty', sizeBytes: 0 })]),
    ).not.toThrow();
    expect(() => requireWholeFiles([])).not.toThrow();
  });

  it.each([
    ['the last is missing', [piece(0, 6)]],
    ['the first is missing', [piece(6, 4)]],
    ['one between is missing', [piece(0, 3), piece(6, 4)]],
    ['two overlap', [piece(0, 6), piece(5, 5)]],
    ['they disagree on its mode', [piece(0, 6), piece(6, 4, { mode: 0o600 })]],
    ['they disagree on its time', [piece(0, 6), piece(6, 4, { mtime: '1' })]],
    ['they disagree on its size', [piece(0, 6), piece(6, 4, { sizeBytes: 11 })]],
  ])('are refused when %s', (_what, pieces) => {
    expect(() => requireWholeFiles(pieces)).toThrow(damaged);
  });
});
