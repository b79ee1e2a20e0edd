import { describe, expect, it } from 'vitest';
import { requireOneTree, requireTrees } from '../../../src/activities/backup/plan-checks.ts';
import { requireListedTypes } from '../../../src/activities/backup/torn.ts';
import type { IndexEntry } from '../../../src/bundle/index-file.ts';
import type { FileType } from '../../../src/domain/file-entry.ts';
import { profileOf } from '../../../src/domain/profile.ts';
import { componentsOf, type Tier } from '../../../src/domain/terms.ts';

const profile = profileOf('slimvps-legacy');
if (!profile) throw new Error('no profile');

const check = (tier: Tier, files: Readonly<Record<string, FileType>>, exclude: readonly string[] = []): void =>
  requireTrees(
    Object.entries(files).map(([path, type]) => ({ path: Buffer.from(path), type })),
    { profile, components: componentsOf(tier), exclude },
    'lane-1',
  );

describe('a tree that is a symbolic link', () => {
  it('is refused by name of the tree, for the bundle would hold the link alone', () => {
    for (const tree of ['.openclaw', 'workspace', '.openclaw/transcripts'])
      expect(() => check('B', { [tree]: 'symlink' })).toThrow(
        expect.objectContaining({ code: 'TreeUnusable', message: expect.stringContaining(`~/${tree} is a symbolic`) }),
      );
  });

  it('is no matter of a tier that does not hold it, nor where it is excluded', () => {
    expect(() => check('A', { workspace: 'symlink' })).not.toThrow();
    expect(() => check('B', { workspace: 'symlink' }, ['workspace'])).not.toThrow();
  });

  it('may be anything deeper down', () => {
    expect(() => check('B', { workspace: 'directory', 'workspace/a': 'symlink' })).not.toThrow();
  });
});

describe('a listing', () => {
  const look = (files: Readonly<Record<string, FileType>>): void =>
    requireOneTree(
      Object.entries(files).map(([path, type]) => ({ path: Buffer.from(path), type })),
      'lane-1',
    );

  it('is no tree when a folder was replaced by something else meanwhile: it is made anew', () => {
    for (const type of ['symlink', 'file', 'fifo'] as const)
      expect(() => look({ workspace: 'directory', 'workspace/way': type, 'workspace/way/a': 'file' })).toThrow(
        expect.objectContaining({ code: 'ListingFailed', message: expect.stringMatching(/^lane lane-1: 1 file/) }),
      );
  });

  it('may hold names whose folders it does not hold, and names that begin alike', () => {
    expect(() =>
      look({ 'workspace/a': 'file', 'workspace/a.b': 'file', 'workspace/ab/c': 'file', d: 'file' }),
    ).not.toThrow();
  });
});

describe('what a segment read', () => {
  const named = (types: Readonly<Record<string, IndexEntry['type']>>): IndexEntry[] =>
    Object.entries(types).map(([path, type]) => ({ path, type, mode: 0o644, sizeBytes: 0, mtime: '0' }));
  const listed = [
    { path: Buffer.from('way'), type: 'directory' as const },
    { path: Buffer.from('file'), type: 'file' as const },
    { path: Buffer.from('link'), type: 'symlink' as const },
  ];
  const read = (types: Readonly<Record<string, IndexEntry['type']>>): void =>
    requireListedTypes({ lane: 'lane-1' }, 's-0001', listed, named(types));

  it('is planned anew when a name is of another type than it was listed with', () => {
    for (const types of [
      { way: 'symlink' },
      { way: 'file' },
      { way: 'link' },
      { file: 'directory' },
      { link: 'file' },
    ] as const)
      expect(() => read(types)).toThrow(
        expect.objectContaining({
          code: 'PlanLost',
          message: 'lane lane-1: 1 name(s) of segment s-0001 are of another type than when they were listed',
        }),
      );
  });

  it('may lack what vanished, and hold hard links', () => {
    expect(() => read({ way: 'directory', file: 'link', link: 'link' })).not.toThrow();
    expect(() => read({ file: 'file', link: 'symlink' })).not.toThrow();
    expect(() => read({})).not.toThrow();
  });
});
