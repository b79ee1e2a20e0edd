import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { spawnOwned } from '../../../src/embedded/owned-process.ts';
import { isAlive } from '../../setup/is-alive.ts';

const project = resolve(import.meta.dirname, '../../..');

async function waitUntilGone(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: 8000, interval: 20 }).toBe(false);
}

/** A process that starts `argv` as its own and then only waits; resolves to both pids. */
async function startOwner(argv: readonly string[]) {
  const module = join(project, 'src/embedded/owned-process.ts');
  const code = `
    const { spawnOwned } = await import(${JSON.stringify(module)});
    const owned = await spawnOwned(${JSON.stringify(argv)});
    console.log(owned.pid);
    setInterval(() => undefined, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [first] = (await once(owner.stdout, 'data')) as [Buffer];
  return { owner, pid: Number(first.toString()) };
}

describe('a process that dies with its owner', () => {
  it('is gone when its owner is killed with SIGKILL', async () => {
    const { owner, pid } = await startOwner(['sleep', '600']);
    expect(isAlive(pid)).toBe(true);
    owner.kill('SIGKILL');
    await waitUntilGone(pid);
  });

  it('is gone when its owner exits without a word', async () => {
    const { owner, pid } = await startOwner(['sleep', '600']);
    owner.kill('SIGTERM');
    await waitUntilGone(pid);
  });

  it('is killed five seconds after an owner that left, when it ignores SIGTERM', async () => {
    const { owner, pid } = await startOwner(['sh', '-c', 'trap "" TERM; while :; do sleep 1; done']);
    owner.kill('SIGKILL');
    await waitUntilGone(pid);
  });

  it('is stopped with SIGTERM, twice without harm', async () => {
    const owned = await spawnOwned(['sh', '-c', 'trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done']);
    while (!owned.tail().includes('ready')) await sleep(10); // before that the trap may not be set
    await owned.stop();
    await owned.stop();
    expect(await owned.exited).toBe(7);
    expect(isAlive(owned.pid)).toBe(false);
  });

  it('is killed at once', async () => {
    const owned = await spawnOwned(['sleep', '600']);
    owned.kill();
    owned.kill();
    await owned.exited;
    await waitUntilGone(owned.pid);
  });

  it('tells its exit status and its last words', async () => {
    const owned = await spawnOwned(['sh', '-c', 'echo out; echo error >&2; sleep 0.1; exit 3']);
    expect(await owned.exited).toBe(3);
    expect(owned.tail()).toBe('out\nerror\n');
  });

  it('tells a signal that ended it as 128 and the number', async () => {
    const owned = await spawnOwned(['sleep', '600']);
    process.kill(owned.pid, 'SIGKILL');
    expect(await owned.exited).toBe(137);
  });

  it('exits with 127 when there is no such program', async () => {
    const owned = await spawnOwned(['/nowhere/program']);
    expect(await owned.exited).toBe(127);
  });

  it('gets its arguments and environment as they are', async () => {
    const argv = ['sh', '-c', 'printf "%s|" "$@" "$COLOUR"; sleep 0.1', 'sh', 'a b', '$(id)', "'"];
    const owned = await spawnOwned(argv, { ...process.env, COLOUR: 'blue "' });
    await owned.exited;
    expect(owned.tail()).toBe(`a b|$(id)|'|blue "|`);
  });
});
