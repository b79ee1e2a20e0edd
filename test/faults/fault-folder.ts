// How a test and the workers under test agree on faults: files in a folder. The test arms a fault; the first worker
// whose call fits takes it (by a file that only one can make), says so, and does it. Each fault happens once.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Fault {
  readonly activity: string;
  /** Which call of the activity, retries counted; 1 is the first. */
  readonly call: number;
  /** Only in workflows whose id begins so: the watch runs beside every test. */
  readonly workflow: string;
  /** `during`: the body runs, and `delayMs` later it happens, or at its end if that is earlier. */
  readonly when: 'before' | 'during' | 'after';
  /** kill -9 of the worker by itself; a failure that is not retried; or standing still until released. */
  readonly action: 'kill' | 'fail' | 'pause';
  /** Of the failure. */
  readonly code?: string;
  readonly delayMs?: number;
}

export interface Fired {
  readonly pid: number;
  readonly atMs: number;
  readonly attempt: number;
}

export interface ArmedFault extends Fault {
  readonly id: string;
}

export const paths = {
  armed: (dir: string) => join(dir, 'armed'),
  taken: (dir: string, id: string) => join(dir, `${id}.taken`),
  call: (dir: string, id: string, call: number) => join(dir, `${id}.call-${call}`),
  released: (dir: string, id: string) => join(dir, `${id}.released`),
};

export class FaultFolder {
  readonly dir: string;
  #count = 0;

  constructor(dir: string) {
    this.dir = dir;
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(paths.armed(dir), { recursive: true });
  }

  arm(fault: Fault): Armed {
    this.#count += 1;
    return new Armed(this.dir, `${this.#count}`.padStart(4, '0'), fault);
  }
}

export class Armed {
  readonly #dir: string;
  readonly #id: string;
  #disarmed = false;

  constructor(dir: string, id: string, fault: Fault) {
    this.#dir = dir;
    this.#id = id;
    const part = join(dir, `${id}.part`);
    writeFileSync(part, JSON.stringify({ ...fault, id }));
    renameSync(part, join(paths.armed(dir), `${id}.json`));
  }

  /** What happened, or undefined as long as it has not. */
  get fired(): Fired | undefined {
    const path = paths.taken(this.#dir, this.#id);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    return text === '' ? undefined : (JSON.parse(text) as Fired);
  }

  get disarmed(): boolean {
    return this.#disarmed;
  }

  /** @throws Error when it has not happened within the time */
  async happens(withinMs = 60_000): Promise<Fired> {
    const untilMs = Date.now() + withinMs;
    for (;;) {
      const { fired } = this;
      if (fired) return fired;
      if (Date.now() > untilMs) throw new Error(`the fault has not happened within ${withinMs} ms`);
      await sleep(20);
    }
  }

  /** A paused call goes on. */
  release(): void {
    writeFileSync(paths.released(this.#dir, this.#id), '');
  }

  /** It will not happen any more. */
  disarm(): void {
    this.#disarmed = true;
    rmSync(join(paths.armed(this.#dir), `${this.#id}.json`), { force: true });
    this.release();
  }
}
