// Attempts that come at the same time: the largest fence stays, with all that runs under it.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Fence, fenceName, takeFence } from '../../../src/lane/fence.ts';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { type LocalHost, startLocalHost } from './local-host.ts';

let local: LocalHost;
beforeAll(async () => {
  local = await startLocalHost();
});
afterAll(() => local.stop());

const fence = (attempt: number): Fence => ({ sectionStartMs: 1_780_000_000_000, order: 1, attempt });
const folderOf = (shell: LaneShell) => shell.clawbackPath('journal');
const fencesOf = (shell: LaneShell) => readdirSync(folderOf(shell)).filter((name) => name.startsWith('fence.'));
const written = (path: string) =>
  vi.waitUntil(() => existsSync(path) && readFileSync(path).length > 0, { timeout: 15_000 });

describe('takeFence, of attempts that come at once', () => {
  it('lets exactly one of several win who come at once', async () => {
    const shell = await local.shell();
    const outcomes = await Promise.allSettled([5, 3, 4, 1, 2].map((attempt) => takeFence(shell, fence(attempt))));
    expect(outcomes[0]?.status).toBe('fulfilled');
    expect(fencesOf(shell)).toEqual([fenceName(fence(5))]);
  }, 30_000);

  it('leaves a larger one alone that came meanwhile and has taken this one away already', async () => {
    const shell = await local.shell();
    await takeFence(shell, fence(1));
    const log = `${shell.target.home}/log`;
    const stubborn = await shell.spawnScript('trap "" TERM; while :; do echo x >>"$1"; sleep 0.05; done', [log], {
      fence: fence(1),
    });
    stubborn.stdout.resume();
    await written(log);
    const late = takeFence(shell, fence(3));
    late.catch(() => undefined); // looked at below
    const [mine, larger] = [fence(3), fence(5)].map((one) => `${folderOf(shell)}/${fenceName(one)}`) as [
      string,
      string,
    ];
    await vi.waitUntil(() => existsSync(mine), { timeout: 15_000 });
    await shell.script('mkdir "$1"', [larger]);
    const bystander = await shell.spawnScript('echo $$ >"$1"; exec sleep 30', [`${shell.target.home}/pid`], {
      fence: fence(5),
    });
    bystander.stdout.resume();
    await written(`${shell.target.home}/pid`);
    rmSync(mine, { recursive: true });
    await expect(late).rejects.toMatchObject({ code: 'FenceLost' });
    expect(fencesOf(shell)).toContain(fenceName(fence(5)));
    const pid = readFileSync(`${shell.target.home}/pid`, 'utf8').trim();
    expect(execFileSync('ps', ['-o', 'pid=', '-p', pid], { encoding: 'utf8' }).trim()).toBe(pid);
    bystander.kill();
    await takeFence(shell, fence(6));
  }, 30_000);
});
