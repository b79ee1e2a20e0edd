// Worker processes under one parent: who dies is replaced, who is asked ends, and nobody outlives the parent.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sharesOf } from '../../../src/cli/commands/worker.ts';
import { queueRoles } from '../../../src/contract/names.ts';
import { isAlive } from '../../setup/is-alive.ts';
import { run } from './around.ts';

const script = join(import.meta.dirname, 'fixtures/family.ts');

interface Parent {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  out(): string;
  err(): string;
}

let dir: string;
let parent: Parent | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'clawback-family-'));
});
afterEach(() => {
  parent?.process.kill('SIGKILL');
  rmSync(dir, { recursive: true });
});

const statusPath = (): string => join(dir, 'status');

function start(ended: 'again' | 'over' = 'again'): Parent {
  const child = spawn(process.execPath, [script, ended], {
    env: { ...process.env, FAMILY_STATUS: statusPath() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text.err += chunk.toString()));
  const over = new Promise<number | null>((resolve) => child.once('close', resolve));
  parent = { process: child, ended: over, out: () => text.out, err: () => text.err };
  return parent;
}

function pidsOf({ out }: Parent): number[] {
  return [...out().matchAll(/^pid (\d+)$/gm)].map(([, pid]) => Number(pid));
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 15_000;
  while (!isSo()) {
    if (Date.now() > deadlineMs) throw new Error(`in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function startedChildren(family: Parent, count: number): Promise<number[]> {
  await until(`${count} children run`, () => pidsOf(family).length >= count);
  return pidsOf(family);
}

describe('a family of processes', () => {
  it('starts a killed one again, says so, and leaves the other alone', async () => {
    const family = start();
    const [first = 0, second = 0] = await startedChildren(family, 2);
    process.kill(first, 'SIGKILL');
    const [, , third = 0] = await startedChildren(family, 3);
    expect(isAlive(second)).toBe(true);
    expect(isAlive(third)).toBe(true);
    expect(JSON.parse(family.err().split('\n')[0] ?? '')).toMatchObject({
      level: 'warn',
      msg: 'a worker process ended unasked; another takes its place after a wait',
      workerId: String(first),
      exitStatus: 137,
      elapsedMs: 50,
    });
  });

  it('waits twice as long each time for one that keeps dying', async () => {
    writeFileSync(statusPath(), '1');
    const family = start();
    await until('five deaths', () => family.err().split('\n').length > 10);
    const waits = [...family.err().matchAll(/"elapsedMs":(\d+)/g)].map(([, ms]) => Number(ms));
    // of two processes, which die in any order
    const next = [50, 50];
    for (const ms of waits) {
      const which = next.indexOf(ms);
      expect(which, `${ms} of ${waits.join()}`).not.toBe(-1);
      next[which] = Math.min(2 * ms, 400);
    }
    expect(waits).toContain(400);
  });

  it('ends with a status that no new start would change, and takes the other along', async () => {
    const family = start();
    const [first = 0, second = 0] = await startedChildren(family, 2);
    writeFileSync(statusPath(), '2');
    process.kill(first, 'SIGKILL');
    await family.ended;
    expect(family.out()).toContain('status 2\n');
    expect(isAlive(second)).toBe(false);
  });

  it('is over with the first that ends where none is to be started again', async () => {
    const family = start('over');
    const [first = 0, second = 0] = await startedChildren(family, 2);
    process.kill(first, 'SIGKILL');
    await family.ended;
    expect(family.out()).toContain('status 137\n');
    expect(isAlive(second)).toBe(false);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('hands %s to all and waits for them', async (signal) => {
    const family = start();
    const pids = await startedChildren(family, 2);
    family.process.kill(signal);
    await family.ended;
    expect(pids.some(isAlive)).toBe(false);
    expect(family.out()).toMatch(signal === 'SIGTERM' ? /status 0\n/ : /status 1(29|30)\n/);
    expect(family.err()).toBe('');
  });

  it('leaves no orphan when its parent is killed with -9', async () => {
    const family = start();
    const pids = await startedChildren(family, 2);
    family.process.kill('SIGKILL');
    await family.ended;
    await until('nobody is left', () => !pids.some(isAlive));
    expect(pids.filter(isAlive)).toEqual([]);
  });
});

describe('worker --processes', () => {
  it.each([
    [1, 4, ['host,vault 1 5', 'data,vaultData 4 5']],
    [2, 5, ['host,vault 1 5', 'data,vaultData 3 5', 'data,vaultData 2 5']],
    [16, 16, ['host,vault 1 2', ...Array.from({ length: 16 }, () => 'data,vaultData 1 2')]],
  ])(
    '%i for streams share %i, beside one for short steps, and the connections that a host takes',
    (processes, streams, expected) => {
      expect(sharesOf({ queues: queueRoles, processes, streams }).map(textOf)).toEqual(expected);
    },
  );

  it('are of one kind where the queues are', () => {
    expect(sharesOf({ queues: ['host'], processes: 2, streams: 2 }).map(textOf)).toEqual(['host 1 5', 'host 1 5']);
    expect(sharesOf({ queues: ['data'], processes: 2, streams: 4 }).map(textOf)).toEqual(['data 2 5', 'data 2 5']);
  });

  it('refuses more processes than there are streams for', async () => {
    const { status, err } = await run(['worker', '--processes', '3', '--streams', '2']);
    expect(err).toContain('--processes 3 cannot share 2 streams: give --streams 3 or more, or fewer processes');
    expect(status).toBe(2);
  });
});

function textOf([, queues, , streams, , connections]: readonly string[]): string {
  return `${queues} ${streams} ${connections}`;
}
