// One run of the command line: its settings, its outputs, what is at stake. Results go to stdout, everything else
// (progress, warnings, questions, errors) to stderr; with --json stdout holds exactly one object.

import { styleText } from 'node:util';
import { resolve } from 'node:path';
import { access } from 'node:fs/promises';
import { connectTemporal, type Temporal } from '../client/connection.ts';
import { type FleetFile, loadFleet } from '../config/fleet-file.ts';
import { type ExitName, Failure } from '../domain/failure.ts';
import type { Surroundings } from './surroundings.ts';

/** What a command answers. */
export interface Outcome {
  /** Without `ok`, which is added. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** `ok` when left out. */
  readonly exit?: ExitName;
}

/** The lane that a command works on: a failure ends with its state. */
export interface Stake {
  readonly fleet: FleetFile;
  readonly lane: string;
  /** Set once something was started that may touch it. */
  started: boolean;
}

export interface Settings {
  readonly fleet?: string;
  readonly json: boolean;
  readonly color: boolean;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

export class Cli {
  readonly around: Surroundings;
  settings: Settings = { json: false, color: true };
  outcome: Outcome | undefined;
  stake: Stake | undefined;

  constructor(around: Surroundings) {
    this.around = around;
  }

  /** Makes a commander action of a command: what it answers is shown in the end, by one place. */
  action<A extends unknown[]>(run: (...args: A) => Promise<Outcome>): (...args: A) => Promise<void> {
    return async (...args) => {
      this.outcome = await run(...args);
    };
  }

  /** A line for the operator, beside the result. */
  note(line: string): void {
    this.around.stderr.write(`${line}\n`);
  }

  warn(line: string): void {
    this.note(`${this.paint('yellow', 'warning:')} ${line}`);
  }

  /** Colours what goes to stderr. */
  paint(style: Style, text: string): string {
    return this.#colours(this.around.stderr.isTTY) ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Colours what goes to stdout. */
  paintResult(style: Style, text: string): string {
    return this.#colours(this.around.stdout.isTTY) ? styleText(style, text, { validateStream: false }) : text;
  }

  #colours(isTTY: boolean | undefined): boolean {
    const { NO_COLOR, TERM } = this.around.env;
    return this.settings.color && isTTY === true && !NO_COLOR && TERM !== 'dumb';
  }

  /** Where the fleet file is looked for. */
  get fleetPath(): string {
    return resolve(this.around.cwd, this.settings.fleet ?? (this.around.env['CLAWBACK_FLEET'] || 'fleet.yaml'));
  }

  /** InvalidInput when there is none; InvalidFleet with every error. */
  async loadFleet(): Promise<FleetFile> {
    await requireFleet(this.fleetPath);
    return loadFleet(this.fleetPath);
  }

  /** The fleet, with one lane at stake. UnknownLane. */
  async stakeLane(lane: string): Promise<FleetFile> {
    const fleet = await this.loadFleet();
    fleet.laneSpec(lane);
    this.stake = { fleet, lane, started: false };
    return fleet;
  }

  /** From here on the lane may be touched: a failure looks at it. */
  markStarted(): void {
    if (this.stake) this.stake.started = true;
  }

  /** Does work with a connection to Temporal, and closes it. TemporalUnreachable within five seconds. */
  async withTemporal<T>(work: (temporal: Temporal) => Promise<T>): Promise<T> {
    const temporal = await connectTemporal();
    try {
      return await work(temporal);
    } finally {
      await temporal.close();
    }
  }

  /** Are there eyes on stderr and a keyboard on stdin? */
  get canAsk(): boolean {
    return this.around.stdin.isTTY === true && this.around.stderr.isTTY === true;
  }
}

export async function requireFleet(path: string): Promise<void> {
  try {
    await access(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT')
      throw new Failure('InvalidInput', `the fleet file ${path} cannot be read (${code})`, { field: '--fleet' });
    throw new Failure('InvalidInput', `there is no fleet file ${path}: give --fleet FILE, or set CLAWBACK_FLEET`, {
      field: '--fleet',
    });
  }
}
