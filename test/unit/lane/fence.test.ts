import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fence, fenceName, takeFence, takeTurn } from '../../../src/lane/fence.ts';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { isRoot, type LocalHost, startLocalHost } from './local-host.ts';

let local: LocalHost;
beforeAll(async () => {
  local = await startLocalHost();
});
afterAll(() => local.stop());

const fence = (attempt: number, order = 1): Fence => ({ sectionStartMs: 1_780_000_000_000, order, attempt });
/** Until a file of the lane has something in it: machines under load take their time. */
async function written(path: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < 15_000; waitedMs += 50) {
    if (existsSync(path) && readFileSync(path).length > 0) return;
    await sleep(50);
  }
  throw new Error('nothing was written');
}

const folderOf = (shell: LaneShell) => shell.clawbackPath('journal');
const fencesOf = (shell: LaneShell) => readdirSync(folderOf(shell)).filter((name) => name.startsWith('fence.'));

describe('fenceName', () => {
  it('sorts as the numbers do', () => {
    const fences: Fence[] = [fence(2), fence(10), fence(1, 3), { ...fence(1), sectionStartMs: 1_780_000_000_001 }];
    expect(fences.map(fenceName).toSorted()).toEqual(fences.map(fenceName));
  });
});

describe('takeFence', () => {
  it('may be repeated, and lets commands of the fence run', async () => {
    const shell = await local.shell();
    await takeFence(shell, fence(1));
    await takeFence(shell, fence(1));
    const { stdout } = await shell.run(['/bin/echo', 'done'], { fence: fence(1) });
    expect(stdout.toString()).toBe('done\n');
    expect(fencesOf(shell)).toEqual([fenceName(fence(1))]);
  });

  it('gives way to a larger one and leaves nothing behind', async () => {
    const shell = await local.shell();
    await takeFence(shell, fence(2));
    await expect(takeFence(shell, fence(1))).rejects.toMatchObject({ code: 'FenceLost' });
    expect(fencesOf(shell)).toEqual([fenceName(fence(2))]);
  });

  it('lets a command under a lost fence do nothing', async () => {
    const shell = await local.shell();
    await takeFence(shell, fence(1));
    await takeFence(shell, fence(2));
    const mark = `${shell.target.home}/mark`;
    await expect(shell.script('touch "$1"', [mark], { fence: fence(1) })).rejects.toMatchObject({ code: 'FenceLost' });
    await expect(shell.run(['/usr/bin/touch', mark], { fence: fence(1), as: 'root' })).rejects.toMatchObject({
      code: 'FenceLost',
    });
    const process = await shell.spawn(['/usr/bin/touch', mark], { fence: fence(1) });
    process.stdout.resume();
    await expect(process.exited).rejects.toMatchObject({ code: 'FenceLost' });
    expect(existsSync(mark)).toBe(false);
  });

  it("does not take a command's own status 97 for a lost fence", async () => {
    const shell = await local.shell();
    await takeFence(shell, fence(1));
    await expect(shell.script('exit 97', [], { fence: fence(1) })).rejects.toMatchObject({ code: 'HostCommandFailed' });
  });

  it('ends the whole process group of an earlier attempt, also what ignores TERM, before it returns', async () => {
    const shell = await local.shell();
    await takeFence(shell, fence(1));
    const log = `${shell.target.home}/log`;
    const stubborn = await shell.spawnScript(
      'trap "" TERM; (trap "" TERM; while :; do echo x >>"$1"; sleep 0.05; done) & wait',
      [log],
      { fence: fence(1) },
    );
    stubborn.stdout.resume();
    await written(log);
    await takeFence(shell, fence(2));
    const size = readFileSync(log).length;
    await sleep(300);
    expect(readFileSync(log).length).toBe(size);
    await expect(stubborn.exited).rejects.toMatchObject({ code: 'HostCommandFailed' });
  }, 30_000);

  it('ends a process that outlived its connection', async () => {
    const shell = await local.shell();
    await takeFence(shell, fence(1));
    const log = `${shell.target.home}/log`;
    const process = await shell.spawnScript('while :; do echo x >>"$1"; sleep 0.05; done', [log], { fence: fence(1) });
    process.stdout.resume();
    await written(log);
    shell.connection.close();
    const before = readFileSync(log).length;
    await sleep(300);
    expect(readFileSync(log).length).toBeGreaterThan(before);
    const next = await local.shell(shell.target);
    await takeFence(next, fence(2));
    const after = readFileSync(log).length;
    await sleep(300);
    expect(readFileSync(log).length).toBe(after);
  }, 30_000);

  it('ends a child whose registered parent is gone already', async () => {
    const shell = await local.shell();
    await takeFence(shell, fence(1));
    const log = `${shell.target.home}/log`;
    const process = await shell.spawnScript(
      '(while :; do echo x >>"$1"; sleep 0.05; done) >/dev/null 2>&1 & exit 0',
      [log],
      { fence: fence(1) },
    );
    process.stdout.resume();
    await process.exited;
    await written(log);
    await takeFence(shell, fence(2));
    const size = readFileSync(log).length;
    await sleep(300);
    expect(readFileSync(log).length).toBe(size);
  }, 30_000);

  it('ignores pids of gone processes and of others that have the pid now', async () => {
    const shell = await local.shell();
    await takeFence(shell, fence(1));
    const bystander = await shell.spawnScript('echo $$ >"$1"; exec sleep 30', [`${shell.target.home}/pid`]);
    bystander.stdout.resume();
    await written(`${shell.target.home}/pid`);
    const pid = readFileSync(`${shell.target.home}/pid`, 'utf8').trim();
    const folder = `${folderOf(shell)}/${fenceName(fence(1))}`;
    writeFileSync(`${folder}/${pid}`, `${pid} 12345 12345\n`);
    writeFileSync(`${folder}/4194303`, '4194303 1 1\n');
    writeFileSync(`${folder}/4194302`, '');
    await takeFence(shell, fence(2));
    expect(execFileSync('ps', ['-o', 'pid=', '-p', pid], { encoding: 'utf8' }).trim()).toBe(pid);
    bystander.kill();
  });

  it('keeps commands of two attempts apart, however they are interleaved', async () => {
    const shell = await local.shell();
    const log = `${shell.target.home}/log`;
    await takeFence(shell, fence(1));
    const old = Array.from({ length: 6 }, () =>
      shell
        .script('for i in 1 2 3 4 5 6 7 8; do echo old >>"$1"; sleep 0.05; done', [log], { fence: fence(1) })
        .catch((error: Error) => error),
    );
    await written(log);
    await takeFence(shell, fence(2));
    await shell.script('echo new >>"$1"', [log], { fence: fence(2) });
    await Promise.all(old);
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(lines.slice(lines.indexOf('new'))).toEqual(['new']);
  }, 30_000);

  it.runIf(isRoot)(
    'waits for a root command of an earlier attempt, which the lane cannot end',
    async () => {
      const shell = await local.shell();
      await takeFence(shell, fence(1));
      const mark = `${shell.target.home}/mark`;
      const slow = shell.run(['/bin/sh', '-c', `echo x >${mark}; sleep 2; echo done >${mark}`], {
        fence: fence(1),
        as: 'root',
      });
      await written(mark);
      await takeFence(shell, fence(2));
      expect(execFileSync('cat', [mark], { encoding: 'utf8' })).toBe('done\n');
      expect((await slow).exitStatus).toBe(0);
    },
    30_000,
  );

  it('keeps its folder private', async () => {
    const shell = await local.shell();
    mkdirSync(shell.clawbackPath(''), { recursive: true, mode: 0o777 });
    if (isRoot) execFileSync('chown', ['nobody', shell.clawbackPath('')]);
    await takeFence(shell, fence(1));
    expect(execFileSync('stat', ['-c', '%a', folderOf(shell)], { encoding: 'utf8' }).trim()).toBe('700');
  });
});

describe('takeTurn', () => {
  it('ends the earlier attempts of one stream, and leaves the other streams of the fence alone', async () => {
    const shell = await local.shell();
    const shared = fence(1);
    await takeFence(shell, shared);
    const start = async (name: string, attempt: number) => {
      const under = await takeTurn(shell, shared, { name, attempt });
      const mark = `${shell.target.home}/${name}.${attempt}`;
      const process = await shell.spawnScript('echo $$ >"$1"; exec sleep 60', [mark], { fence: under });
      process.stdout.resume();
      await written(mark);
      return { ended: process.exited.then(String, (error: Error) => error.message), kill: () => process.kill() };
    };
    const first = await start('s-0001', 1);
    const other = await start('s-0002', 1);
    const second = await start('s-0001', 2);
    expect(await first.ended).toContain('ended by');
    expect(await Promise.race([other.ended, second.ended, sleep(500, 'both go on')])).toBe('both go on');
    await expect(takeTurn(shell, shared, { name: 's-0001', attempt: 1 })).rejects.toMatchObject({ code: 'FenceLost' });

    await takeFence(shell, fence(2));
    expect([await other.ended, await second.ended].join()).toMatch(/ended by.*ended by/);
    expect(fencesOf(shell)).toEqual([fenceName(fence(2))]);
    await expect(takeTurn(shell, shared, { name: 's-0001', attempt: 3 })).rejects.toMatchObject({ code: 'FenceLost' });
    expect(fencesOf(shell)).toEqual([fenceName(fence(2))]);
  });

  it('lets a command of an earlier attempt do nothing', async () => {
    const shell = await local.shell();
    await takeFence(shell, fence(1));
    const early = await takeTurn(shell, fence(1), { name: 's-0001', attempt: 1 });
    const late = await takeTurn(shell, fence(1), { name: 's-0001', attempt: 2 });
    await expect(shell.script('exit 0', [], { fence: early })).rejects.toMatchObject({ code: 'FenceLost' });
    await expect(shell.script('exit 0', [], { fence: late })).resolves.toMatchObject({ exitStatus: 0 });
  });
});
