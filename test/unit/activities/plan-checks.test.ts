import { describe, expect, it } from 'vitest';
import { requireTrees } from '../../../src/activities/backup/plan-checks.ts';
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
