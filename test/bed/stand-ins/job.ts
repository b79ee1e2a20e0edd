// One loaded launchd job: its process, its respawns, its end. SIGTERM, then SIGKILL after ExitTimeOut; a job that
// ran for less than ThrottleInterval is started again when the interval is over, a longer-lived one at once.

import type { ChildProcess } from 'node:child_process';
import type { JobPlist } from './job-plist.ts';

export type JobStateName = 'running' | 'not running' | 'spawn scheduled' | 'SIGTERMed';

/** Status of a job whose program or output file is bad (EX_CONFIG; macos-notes, 1). */
const exConfig = 78;

export interface JobHooks {
  /** Starts the program, or throws when that cannot be done. */
  spawn(plist: JobPlist): ChildProcess;
  log(line: string): void;
  /** The removed job's last process is gone. */
  removed(job: Job): void;
}

export class Job {
  readonly plist: JobPlist;
  state: JobStateName = 'not running';
  runs = 0;
  /** Exit status of the last process; negative: the signal that ended it. */
  lastExit: number | undefined;
  readonly #hooks: JobHooks;
  #child: ChildProcess | undefined;
  #startedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #removing = false;
  #restart = false;

  constructor(plist: JobPlist, hooks: JobHooks) {
    this.plist = plist;
    this.#hooks = hooks;
    if (plist.runAtLoad || plist.keepAlive === 'always') this.start();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get removing(): boolean {
    return this.#removing;
  }

  start(): void {
    clearTimeout(this.#timer);
    if (this.#child !== undefined) return;
    this.#startedAtMs = Date.now();
    this.runs += 1;
    try {
      this.#child = this.#hooks.spawn(this.plist);
    } catch (error) {
      this.#hooks.log(`${this.plist.label}: ${(error as Error).message}`);
      this.#ended(exConfig);
      return;
    }
    this.state = 'running';
    this.#child.once('error', () => this.#ended(exConfig));
    this.#child.once('exit', (code, signal) => this.#ended(code ?? -signalNumber(signal)));
  }

  /** `kickstart -k`: ends the process and starts it again without a throttle. */
  restart(): void {
    if (this.#child === undefined) return this.start();
    this.#restart = true;
    this.#terminate();
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Asynchronous, as `bootout` is: `removed` is called when the process is gone. */
  remove(): void {
    this.#removing = true;
    clearTimeout(this.#timer);
    if (this.#child === undefined) return this.#hooks.removed(this);
    this.state = 'SIGTERMed';
    this.#terminate();
  }

  #terminate(): void {
    const child = this.#child;
    child?.kill('SIGTERM');
    this.#timer = setTimeout(() => child?.kill('SIGKILL'), this.plist.exitTimeOutMs);
  }

  #ended(status: number): void {
    clearTimeout(this.#timer);
    endGroup(this.#child?.pid);
    this.#child = undefined;
    this.lastExit = status;
    this.state = 'not running';
    if (this.#removing) return this.#hooks.removed(this);
    if (this.#restart) {
      this.#restart = false;
      return this.start();
    }
    if (this.plist.keepAlive === 'always' || (this.plist.keepAlive === 'failed' && status !== 0)) this.#respawn();
  }

  #respawn(): void {
    const ranMs = Date.now() - this.#startedAtMs;
    const waitMs = Math.max(0, this.plist.throttleMs - ranMs);
    if (waitMs > 0)
      this.#hooks.log(
        `${this.plist.label}: Service only ran for ${Math.round(ranMs / 1000)} seconds. Pushing respawn out by ${Math.round(waitMs / 1000)} seconds.`,
      );
    this.state = 'spawn scheduled';
    this.#timer = setTimeout(() => this.start(), waitMs);
  }
}

/** What the process left behind in its group goes with it (AbandonProcessGroup is off by default). */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // nobody left in the group
  }
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

function signalNumber(signal: NodeJS.Signals | null): number {
  return signalNumbers[signal ?? 'SIGKILL'] ?? 9;
}
