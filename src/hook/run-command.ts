// Runs a hook that is a command: without a shell, in a process group of its own, JSON in on stdin and out on stdout.
// Whatever ends it early (time-out, cancellation, an answer that is too large, the worker's own death) ends its whole
// group. What it writes to stderr is counted and dropped.

import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { limits } from '../domain/limits.ts';
import type { CommandCall, HookOutcome, HookQuestion } from './hook-call.ts';

/** Ends when the command and what it left on stdout have ended. @throws the signal's reason when aborted */
export async function runCommand(call: CommandCall, question: HookQuestion): Promise<HookOutcome> {
  question.signal.throwIfAborted();
  const missing = await whyNotExecutable(call.argv[0]);
  if (missing !== undefined) return { kind: 'failed', reason: `could not be started (${missing})`, again: false };
  const run = new CommandRun(call, question);
  const outcome = await run.outcome;
  question.signal.throwIfAborted();
  return outcome;
}

/** The error's code. */
async function whyNotExecutable(program: string): Promise<string | undefined> {
  try {
    await access(program, constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

class CommandRun {
  readonly outcome: Promise<HookOutcome>;
  readonly #startedMs = performance.now();
  readonly #child: ChildProcess;
  readonly #stdout: Buffer[] = [];
  #stdoutBytes = 0;
  #stderrBytes = 0;
  #ending: HookOutcome | undefined;
  #lastWord: NodeJS.Timeout | undefined;

  constructor({ argv: [program, ...args], cwd, env }: CommandCall, { body, timeoutMs, signal }: HookQuestion) {
    const options: SpawnOptions = { cwd, env, stdio: ['pipe', 'pipe', 'pipe', 'pipe'], detached: true };
    this.#child = spawn('/bin/sh', ['-c', underWatch, program, ...args], options);
    const timer = setTimeout(
      () => this.#end(this.#failure(`did not end within ${timeoutMs / 1000} s`, true)),
      timeoutMs,
    );
    const onAbort = (): void => this.#end(this.#failure('was cancelled', false));
    signal.addEventListener('abort', onAbort, { once: true });
    this.#listen(body);
    this.outcome = this.#ended().finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#tidy();
    });
  }

  #listen(body: string): void {
    const { stdin, stdout, stderr } = this.#child;
    stdout?.on('data', (chunk: Buffer) => {
      this.#stdoutBytes += chunk.length;
      if (this.#stdoutBytes <= limits.hookAnswerBytes) this.#stdout.push(chunk);
      else this.#end({ kind: 'too-large' });
    });
    stderr?.on('data', (chunk: Buffer) => {
      this.#stderrBytes += chunk.length;
    });
    // one that does not read what it is told closes the pipe: its status says how it went
    stdin?.on('error', () => undefined).end(body);
  }

  #ended(): Promise<HookOutcome> {
    return new Promise((fulfil) => {
      this.#child.once('error', (error: NodeJS.ErrnoException) =>
        fulfil({ kind: 'failed', reason: `could not be started (${error.code ?? 'unknown'})`, again: false }),
      );
      const watch = this.#child.stdio[3] as Writable | null;
      watch?.on('error', () => undefined);
      this.#child.once('exit', () => watch?.end('\n'));
      this.#child.once('close', (status, signal) => fulfil(this.#ending ?? this.#outcomeOf(status, signal)));
    });
  }

  #outcomeOf(status: number | null, signal: NodeJS.Signals | null): HookOutcome {
    if (status === 0) return { kind: 'answer', bytes: Buffer.concat(this.#stdout) };
    const how = status === null ? `signal ${signal}` : `status ${status}`;
    return this.#failure(`ended with ${how}`, !notExecuted.includes(status));
  }

  #failure(what: string, again: boolean): HookOutcome {
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(1);
    const reason = `${what} (${seconds} s; ${this.#stdoutBytes} bytes on stdout, ${this.#stderrBytes} on stderr)`;
    return { kind: 'failed', reason, again };
  }

  /** The first reason counts. Its pipes are closed too, for what has left the group may hold them open. */
  #end(outcome: HookOutcome): void {
    if (this.#ending) return;
    this.#ending = outcome;
    signalGroup(this.#child, 'SIGTERM');
    this.#lastWord = setTimeout(() => {
      signalGroup(this.#child, 'SIGKILL');
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }, limits.hookTermMs);
  }

  /** Of a group that was ended nothing stays, also where its leader went first. */
  #tidy(): void {
    clearTimeout(this.#lastWord);
    if (this.#ending) signalGroup(this.#child, 'SIGKILL');
  }
}

/**
 * Beside the hook, in its group and there before it, a shell waits for the end of a pipe which this process holds, and
 * then ends the group: so a killed worker's hook does not go on beside its successor's. A line tells it to go.
 */
const underWatch = '{ read -r _ <&3 || kill -s KILL -- "-$$"; } </dev/null >/dev/null 2>&1 & exec 3<&-; exec "$0" "$@"';

/** As the shell says that it could not execute a program, or found none. */
const notExecuted: readonly (number | null)[] = [126, 127];

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // the group has ended by itself meanwhile
  }
}
