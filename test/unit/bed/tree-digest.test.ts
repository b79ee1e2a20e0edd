import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lutimesSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { awkwardTree } from '../../bed/awkward-tree.ts';
import { plantLaneData } from '../../bed/lane-data.ts';
import { differences, digestTree } from '../../bed/tree-digest.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tree-'));
});
afterEach(() => {
  // it holds a folder that its owner may not look into
  execFileSync('chmod', ['-R', 'u+rwX', dir]);
  rmSync(dir, { recursive: true, force: true });
});

/** A path of the tree, changed; what the digest then says. */
function after(change: (path: (name: string) => string) => void): string[] {
  const before = digestTree(dir);
  change((name) => join(dir, name));
  return differences(before, digestTree(dir)).filter((line) => !line.startsWith('"" '));
}

function plant(): void {
  writeFileSync(join(dir, 'a'), 'content');
  writeFileSync(join(dir, 'b'), 'other');
  linkSync(join(dir, 'a'), join(dir, 'a-again'));
  symlinkSync('a', join(dir, 'link'));
}

describe('the digest of a tree', () => {
  beforeEach(plant);

  it('is the same for an unchanged tree', () => {
    expect(after(() => undefined)).toEqual([]);
    expect(digestTree(dir).sha256).toBe(digestTree(dir).sha256);
  });

  it('sees content of the same size and time', () => {
    utimesSync(join(dir, 'b'), 1000, 1000);
    const lines = after((path) => {
      writeFileSync(path('b'), 'OTHER');
      utimesSync(path('b'), 1000, 1000);
    });
    expect(lines).toEqual([expect.stringContaining('"b" sha256: ')]);
  });

  it('sees a mode, a time, a link target and a name', () => {
    expect(after((path) => chmodSync(path('b'), 0o604))).toEqual(['"b" mode: 0o644 → 0o604']);
    expect(after((path) => utimesSync(path('b'), 5, 5))).toEqual([expect.stringContaining('"b" mtimeNs: ')]);
    lutimesSync(join(dir, 'link'), 7, 7);
    expect(
      after((path) => {
        unlinkSync(path('link'));
        symlinkSync('b', path('link'));
        lutimesSync(path('link'), 7, 7);
      }),
    ).toEqual(['"link" target: a → b']);
    expect(after((path) => renameSync(path('b'), path('c')))).toEqual(['missing "b"', 'extra "c"']);
  });

  it('sees a hard link that became a copy', () => {
    const lines = after((path) => {
      unlinkSync(path('a-again'));
      writeFileSync(path('a-again'), 'content');
    });
    expect(lines).toContain('"a-again" linkedTo: a → undefined');
  });

  it('leaves out what it is told to', () => {
    const all = digestTree(dir, { skip: (path) => path === 'b', ignore: ['mtimeNs'] });
    expect([...all.entries.keys()]).toEqual(['', 'a', 'a-again', 'link']);
    expect(all.entries.get('a')).not.toHaveProperty('mtimeNs');
  });
});

describe('the awkward tree', () => {
  it('is the same each time, and holds every kind of file', async () => {
    const { leftOut } = await awkwardTree(join(dir, 'one'));
    await awkwardTree(join(dir, 'two'));
    const trees = ['one', 'two'].map((name) => digestTree(join(dir, name), { ignore: ['mtimeNs'] }));
    const [one, two] = trees as [ReturnType<typeof digestTree>, ReturnType<typeof digestTree>];
    expect(differences(one, two)).toEqual([]);
    expect(new Set([...one.entries.values()].map((entry) => entry.type))).toEqual(
      new Set(['file', 'directory', 'symlink', 'fifo', 'socket']),
    );
    expect(leftOut.map((path) => one.entries.get(path)?.type)).toEqual(['fifo', 'socket']);
    expect(existsSync('pwned')).toBe(false);
  });

  it('holds times to the nanosecond, before and after our day', async () => {
    await awkwardTree(dir);
    const { entries } = digestTree(dir);
    expect(entries.get('times/epoch')?.mtimeNs).toBe(0n);
    expect(entries.get('times/nanoseconds')?.mtimeNs).toBe(1_709_210_096_123_456_789n);
    expect(entries.get('times/far future')?.mtimeNs).toBe(4_102_444_800_000_000_001n);
  });
});

describe('the data of a lane', () => {
  it('is about as large as asked, and the same for the same seed', () => {
    for (const [name, seed] of [
      ['one', 'x'],
      ['two', 'x'],
      ['three', 'y'],
    ] as const) {
      plantLaneData({ home: join(dir, name), profile: 'slimvps-legacy', bytes: 3_000_000, seed });
    }
    const [one, two, three] = ['one', 'two', 'three'].map((name) =>
      digestTree(join(dir, name), { ignore: ['mtimeNs'] }),
    );
    if (one === undefined || two === undefined || three === undefined) throw new Error('three trees were made');
    expect(differences(one, two)).toEqual([]);
    expect(three.sha256).not.toBe(one.sha256);
    const sizeBytes = [...one.entries.values()].reduce((sum, entry) => sum + entry.sizeBytes, 0);
    expect(sizeBytes).toBeGreaterThan(3_000_000);
    expect(sizeBytes).toBeLessThan(4_500_000);
  });

  it('lies where the 2026 layout has it', () => {
    plantLaneData({ home: dir, profile: 'openclaw-2026', bytes: 100_000, seed: 'x' });
    expect(existsSync(join(dir, '.openclaw/agents/main/agent/openclaw-agent.sqlite'))).toBe(true);
    expect(existsSync(join(dir, '.openclaw/workspace/AGENTS.md'))).toBe(true);
    expect(existsSync(join(dir, '.openclaw/transcripts'))).toBe(false);
  });
});
