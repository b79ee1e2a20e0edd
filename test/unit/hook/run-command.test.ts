import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { CommandCall, HookOutcome } from '../../../src/hook/hook-call.ts';
import { runCommand } from '../../../src/hook/run-command.ts';

const dir = mkdtempSync(join(tmpdir(), 'clawback-hook-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

function script(text: string, ...args: string[]): CommandCall {
  return { way: 'command', argv: ['/bin/sh', '-c', text, 'sh', ...args], cwd: dir, env };
}

interface More {
  readonly body?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

function run(call: CommandCall, { body = '{}', timeoutMs = 10_000, signal }: More = {}): Promise<HookOutcome> {
  return runCommand(call, { body, key: 'k', timeoutMs, signal: signal ?? new AbortController().signal });
}

function textOf(outcome: HookOutcome): string {
  if (outcome.kind === 'answer') return outcome.bytes.toString();
  return outcome.kind === 'failed' ? outcome.reason : outcome.kind;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // a zombie answers too
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function pidIn(path: string): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (existsSync(path) && readFileSync(path, 'utf8').endsWith('\n')) return Number(readFileSync(path, 'utf8'));
    await sleep(20);
  }
  throw new Error(`no pid in ${path}`);
}

async function ended(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 250 && isAlive(pid); tries += 1) await sleep(20);
  return !isAlive(pid);
}

describe('a hook that is a command', () => {
  it('gets its question on stdin and answers on stdout', async () => {
    const outcome = await run(script('cat; echo said >&2'), { body: '{"hook":"dns"}' });
    expect(textOf(outcome)).toBe('{"hook":"dns"}');
  });

  it('runs without a shell, in its folder, with the environment that it was given and no more', async () => {
    process.env['CLAWBACK_CANARY'] = 'worker-canary-7c1e';
    const call: CommandCall = { way: 'command', argv: ['/usr/bin/env'], cwd: dir, env: { ...env, TOKEN: 'a b"$(id)' } };
    const variables = textOf(await run(call)).split('\n');
    // the shell that starts it adds some of its own
    const given = variables.filter((line) => !/^(?:(?:PWD|OLDPWD|SHLVL|_)=|$)/.test(line));
    expect(given.toSorted()).toEqual([`PATH=${env.PATH}`, 'TOKEN=a b"$(id)'].toSorted());
    delete process.env['CLAWBACK_CANARY'];
    expect(textOf(await run({ ...call, argv: ['/bin/pwd'] })).trim()).toBe(dir);
    expect(textOf(await run({ ...call, argv: ['/bin/echo', '$HOME; id'] }))).toBe('$HOME; id\n');
  });

  it('that does not read its question is judged by its status all the same', async () => {
    expect((await run(script('exit 0'), { body: 'x'.repeat(1_000_000) })).kind).toBe('answer');
  });

  it('that fails is told by status and counts, without a word that it wrote', async () => {
    const outcome = await run(script('echo canary-out; echo canary-error >&2; exit 3'));
    expect(outcome).toMatchObject({ kind: 'failed', again: true });
    expect(textOf(outcome)).toMatch(/^ended with status 3 \(\d+\.\d s; 11 bytes on stdout, 13 on stderr\)$/);
    expect(textOf(await run(script('kill -SEGV $$')))).toMatch(/^ended with signal SIGSEGV /);
  });

  it('that cannot be started is not tried again', async () => {
    const plain = join(dir, 'plain.txt');
    writeFileSync(plain, 'no program', { mode: 0o644 });
    const call: CommandCall = { way: 'command', argv: [plain], cwd: dir, env };
    expect(await run(call)).toEqual({ kind: 'failed', reason: 'could not be started (EACCES)', again: false });
    expect(textOf(await run({ ...call, argv: [join(dir, 'nothing')] }))).toBe('could not be started (ENOENT)');
  });
});

describe('a hook that would not end', () => {
  it('is ended with its whole process group when its time is over, also if it ignores being asked', async () => {
    const [own, child] = [join(dir, 'own.pid'), join(dir, 'child.pid')];
    const stubborn =
      'trap "" TERM; (trap "" TERM; while :; do sleep 1; done) & echo $! > "$2"; echo $$ > "$1"; while :; do sleep 1; done';
    const running = run(script(stubborn, own, child), { timeoutMs: 500 });
    const pids = [await pidIn(own), await pidIn(child)];
    expect(textOf(await running)).toMatch(/^did not end within 0\.5 s \(\d+\.\d s; 0 bytes/);
    expect(await Promise.all(pids.map(ended))).toEqual([true, true]);
  });

  it('is ended when it is cancelled, and the cancellation is passed on as what it is', async () => {
    const own = join(dir, 'cancelled.pid');
    const stop = new AbortController();
    const running = run(script('echo $$ > "$1"; sleep 60', own), { signal: stop.signal }).catch(
      (error: unknown) => error,
    );
    const pid = await pidIn(own);
    const reason = new Error('the caller went away');
    stop.abort(reason);
    expect(await running).toBe(reason);
    expect(await ended(pid)).toBe(true);
    await expect(run(script('echo never'), { signal: stop.signal })).rejects.toBe(reason);
  });

  it('is ended when it prints without end, long before a gigabyte', async () => {
    const startedMs = performance.now();
    expect(await run(script('yes canary | head -c 1000000000'))).toEqual({ kind: 'too-large' });
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it('is ended although what it started has left its group and holds its stdout', async () => {
    const outcome = await run(script('setsid sleep 5 & sleep 5'), { timeoutMs: 300 });
    expect(textOf(outcome)).toMatch(/^did not end within 0\.3 s/);
  });

  it('does not outlive the worker that ran it', async () => {
    const own = join(dir, 'orphan.pid');
    const worker = startWorkerLike(own);
    const pid = await pidIn(own);
    expect(isAlive(pid)).toBe(true);
    worker.kill('SIGKILL');
    expect(await ended(pid)).toBe(true);
  }, 20_000);
});

/** A process that runs a hook, and no more. */
function startWorkerLike(pidFile: string): ChildProcess {
  const module = JSON.stringify(new URL('../../../src/hook/run-command.ts', import.meta.url).href);
  const call = JSON.stringify(script('echo $$ > "$1"; sleep 60', pidFile));
  const code = `const { runCommand } = await import(${module});
await runCommand(${call}, { body: '{}', key: 'k', timeoutMs: 60000, signal: new AbortController().signal });`;
  return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
}
