import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canClone, cloneTrees } from '../../../src/lane/clone.ts';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { isRoot, type LocalHost, startLocalHost } from './local-host.ts';

/** A file system of its own that can clone, in a file; undefined where this machine cannot make one. */
function cloningDisk(): { path: string; remove(): void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'clone-disk-'));
  const [image, path] = [join(folder, 'image'), join(folder, 'mount')];
  mkdirSync(path);
  chmodSync(folder, 0o755);
  const run = (program: string, ...args: string[]): unknown => execFileSync(program, args, { stdio: 'ignore' });
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    run('truncate', '-s', '320M', image);
    run('mkfs.xfs', '-q', '-m', 'reflink=1', image);
    run('mount', '-o', 'loop', image, path);
  } catch {
    remove();
    return undefined;
  }
  return {
    path,
    remove: () => {
      run('umount', '-l', path);
      remove();
    },
  };
}

/** Does the folder's own file system clone? */
function reflinks(folder: string): boolean {
  try {
    writeFileSync(join(folder, 'from'), 'x');
    execFileSync('cp', ['--reflink=always', join(folder, 'from'), join(folder, 'to')], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const disk = isRoot ? cloningDisk() : undefined;

let local: LocalHost;
beforeAll(async () => void (local = await startLocalHost()));
afterAll(async () => {
  await local.stop();
  disk?.remove();
});

const trees = ['.openclaw', 'workspace'];
const to = 'run/b/clone';

function plant(home: string): void {
  mkdirSync(join(home, '.openclaw/a b'), { recursive: true });
  writeFileSync(join(home, '.openclaw/a b/large'), Buffer.alloc(4e6, 7), { mode: 0o640 });
  symlinkSync('a b/large', join(home, '.openclaw/link'));
  give(home);
}

function give(path: string): void {
  if (isRoot) execFileSync('chown', ['-R', 'nobody', path]);
}

describe('where the file system cannot clone', () => {
  it('that is found out by trying, and a clone is refused instead of copied', async () => {
    const shell = await local.shell();
    plant(shell.target.home);
    const cannot = !reflinks(shell.target.home);
    expect(await canClone(shell, { trees, to })).toBe(!cannot);
    expect(await cloneTrees(shell, { trees, to, withinMs: 5_000 })).toBe(!cannot);
    const copied = join(shell.target.home, '.clawback', to, '.openclaw/a b/large');
    if (cannot) expect(existsSync(copied) ? statSync(copied).blocks : 0).toBe(0);
  });

  it('no time left makes no clone', async () => {
    expect(await cloneTrees(await local.shell(), { trees, to, withinMs: 900 })).toBe(false);
  });

  it('a cp that goes on for too long is ended', async () => {
    const slow = join(local.folder, 'slow-cp');
    writeFileSync(slow, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
    const shell = await local.shell({ host: { ...local.host, tools: { ...local.host.tools, cp: slow } } });
    plant(shell.target.home);
    const beganMs = Date.now();
    expect(await cloneTrees(shell, { trees, to, withinMs: 1_500 })).toBe(false);
    expect(Date.now() - beganMs).toBeLessThan(10_000);
  });
});

describe.skipIf(disk === undefined)('where it can (an XFS that root mounts)', () => {
  async function onDisk(name: string): Promise<LaneShell> {
    const home = join(disk?.path ?? '', name);
    mkdirSync(home);
    give(home);
    return local.shell({ home });
  }

  it('trees are cloned with modes, times and links, and take no room', async () => {
    const shell = await onDisk('home');
    const { home } = shell.target;
    plant(home);
    expect(await canClone(shell, { trees, to })).toBe(true);
    const free = (): number =>
      Number(execFileSync('df', ['-Pk', home], { encoding: 'utf8' }).split('\n')[1]?.split(/\s+/)[3]);
    const before = free();
    expect(await cloneTrees(shell, { trees, to, withinMs: 30_000 })).toBe(true);
    expect(before - free()).toBeLessThan(1000);
    const clone = join(home, '.clawback', to);
    const [original, copy] = [home, clone].map((base) => statSync(join(base, '.openclaw/a b/large'), { bigint: true }));
    expect(copy).toMatchObject({ mode: original?.mode, mtimeNs: original?.mtimeNs, size: original?.size });
    expect(copy?.ino).not.toBe(original?.ino);
    writeFileSync(join(home, '.openclaw/a b/large'), 'changed');
    expect(readFileSync(join(clone, '.openclaw/link'))).toEqual(Buffer.alloc(4e6, 7));
  });

  it('a tree on another volume is none to clone', async () => {
    const shell = await onDisk('other');
    symlinkSync(tmpdir(), join(shell.target.home, 'workspace'));
    expect(await canClone(shell, { trees, to })).toBe(false);
  });
});
