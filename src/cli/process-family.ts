// Child processes under one parent: one that dies is started again, signals go to all, and none outlives the parent,
// kill -9 included: each holds the reading end of a pipe as its stdin, and ends itself when that closes.

import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { Log } from '../telemetry/log.ts';

export interface FamilyOptions {
  /** Arguments of Node, for each child. They must say that the child watches its stdin. */
  readonly argvs: readonly (readonly string[])[];
  /** Beside what we have. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where the children's stdout goes. */
  readonly stdout: 'inherit' | number;
  readonly log: Log;
  /** What becomes of a child that ended unasked: `again`, unless its status is one of `final`. */
  readonly ended: 'again' | 'over';
  /** Statuses that no new start would change: they end the whole family. */
  readonly final: readonly number[];
  readonly backoff?: Backoff;
}

interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
  /** Who ran so long has not failed at its start: its next wait is the first one again. */
  readonly soundMs: number;
}

const defaultBackoff: Backoff = {
  firstMs: limits.restartFirstMs,
  longestMs: limits.restartLongestMs,
  soundMs: limits.restartSoundMs,
};
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs until a signal ends it, or a child ended for good.
 * @returns 0 when all ended well, else the status of the first that did not (128 + n after a signal)
 * @throws Failure Unexpected when a child cannot be started
 */
export async function runFamily(options: FamilyOptions): Promise<number> {
  const family = new Family(options);
  const forward = (signal: NodeJS.Signals): void => family.end(signal);
  const kill = (): void => family.end('SIGKILL');
  for (const signal of forwarded) process.on(signal, forward);
  process.once('exit', kill);
  try {
    const statuses = await Promise.all(options.argvs.map((argv) => family.keep(argv)));
    return statuses.find((status) => status !== 0) ?? 0;
  } finally {
    kill();
    for (const name of forwarded) process.off(name, forward);
    process.off('exit', kill);
  }
}

class Family {
  readonly #options: FamilyOptions;
  readonly #children = new Set<ChildProcess>();
  readonly #ending = new AbortController();

  constructor(options: FamilyOptions) {
    this.#options = options;
  }

  /** To all children there are; none is started from now on. */
  end(signal: NodeJS.Signals): void {
    this.#ending.abort();
    for (const child of this.#children) child.kill(signal);
  }

  /** One child, and those after it. */
  async keep(argv: readonly string[]): Promise<number> {
    const { backoff = defaultBackoff, log, final, ended } = this.#options;
    let waitMs = backoff.firstMs;
    for (;;) {
      const startedMs = performance.now();
      const { pid, status } = await this.#run(argv);
      if (this.#ending.signal.aborted) return status;
      if (ended === 'over' || final.includes(status)) {
        this.end('SIGTERM');
        return status;
      }
      if (performance.now() - startedMs >= backoff.soundMs) waitMs = backoff.firstMs;
      log.warn('a worker process ended unasked; another takes its place after a wait', {
        workerId: String(pid),
        exitStatus: status,
        elapsedMs: waitMs,
      });
      await sleep(waitMs, undefined, { signal: this.#ending.signal }).catch(() => undefined);
      if (this.#ending.signal.aborted) return 0;
      waitMs = Math.min(2 * waitMs, backoff.longestMs);
    }
  }

  /** In a process group of its own: a Ctrl-C of the terminal would else reach it twice, by itself and by us. */
  #run(argv: readonly string[]): Promise<{ readonly pid: number; readonly status: number }> {
    const { stdout } = this.#options;
    const env = { ...process.env, ...this.#options.env };
    const child = spawn(process.execPath, argv, { env, stdio: ['pipe', stdout, 'inherit'], detached: true });
    child.stdin?.on('error', () => undefined); // EPIPE: it is gone already
    this.#children.add(child);
    return new Promise((resolve, reject) => {
      child.once('error', (error) => {
        this.#children.delete(child);
        reject(new Failure('Unexpected', `the worker could not be started: ${error.message}`));
      });
      child.once('close', (status, signal) => {
        this.#children.delete(child);
        resolve({ pid: child.pid ?? 0, status: status ?? 128 + constants.signals[signal ?? 'SIGKILL'] });
      });
    });
  }
}
