// Looks again and again, while something runs: at the command line of every process of the machine and the environment
// of those that are ours or the bed's, and at files that come and go.

import { readdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { filesBelow, readIfThere, type Scan } from './scan.ts';

export interface SamplerOptions {
  readonly processes: Scan;
  readonly files: Scan;
  /** Folders whose files are looked at when they change. */
  readonly folders: readonly string[];
  /** An environment that holds one of these is scanned. */
  readonly marks: readonly string[];
}

const everyMs = 10;

export class Sampler {
  readonly #options: SamplerOptions;
  readonly #seen = new Set<string>();
  #running = true;
  readonly #done: Promise<void>;
  rounds = 0;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (this.#running) {
      this.rounds += 1;
      await this.#lookAtProcesses();
      if (this.rounds % 3 === 0) await this.#lookAtFiles();
      await sleep(everyMs);
    }
  }

  async #lookAtProcesses(): Promise<void> {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      await this.#once(this.#options.processes, readIfThere(`/proc/${pid}/cmdline`), `the command line of a process`);
      const environment = readIfThere(`/proc/${pid}/environ`);
      const isOurs = this.#options.marks.some((mark) => environment.includes(mark));
      if (isOurs) await this.#once(this.#options.processes, environment, 'the environment of a process');
    }
  }

  async #lookAtFiles(): Promise<void> {
    for (const path of this.#options.folders.flatMap((folder) => filesBelow(folder, () => false))) {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (!stats || stats.size > maxSampledBytes || this.#known(`${path} ${stats.ino} ${stats.mtimeMs} ${stats.size}`))
        continue;
      await this.#options.files.look(readIfThere(path), path);
    }
  }

  async #once(scan: Scan, bytes: Buffer, where: string): Promise<void> {
    if (bytes.length > 0 && !this.#known(bytes.toString('latin1')))
      await scan.look(bytes, `${where}: ${programOf(bytes)}`);
  }

  #known(key: string): boolean {
    const known = this.#seen.has(key);
    this.#seen.add(key);
    return known;
  }
}
/** Larger ones are pieces of the lane's data. */
const maxSampledBytes = 1 << 20;

/** The first word: enough to find who it was. */
function programOf(bytes: Buffer): string {
  return bytes
    .subarray(0, Math.max(0, bytes.indexOf(0)))
    .toString('utf8')
    .slice(0, 80);
}
