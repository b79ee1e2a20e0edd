// A lane that has been backed up and lived on, and an operation on it under a fault: what the tests of single faults share.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from '../../src/contract/journal.ts';
import { startBackup } from '../../src/client/start.ts';
import { aftermath, type Aftermath, type Looks } from './aftermath.ts';
import { liveOn } from './bad-day.ts';
import type { Armed, Fault } from './fault-folder.ts';
import type { FaultRig } from './fault-rig.ts';
import { type LaneLook, lookAt } from './lane-look.ts';
import { startOperation } from './operations.ts';
import type { OperationName } from './points.ts';
import { type Running, type Stage, sectionOf } from './stage.ts';
import { StoreWatch } from './store-watch.ts';

export class Scene implements Stage {
  readonly rig: FaultRig;
  readonly lane: Stage['lane'];
  readonly bundle: string;
  readonly saved: LaneLook;

  private constructor(stage: Stage, saved: LaneLook) {
    this.rig = stage.rig;
    this.lane = stage.lane;
    this.bundle = stage.bundle;
    this.saved = saved;
  }

  /** Backs the lane up. */
  static async set(rig: FaultRig, at: number): Promise<Scene> {
    const lane = rig.rig.bed.lanes[at];
    if (!lane) throw new Error(`the bed has no lane ${at}`);
    const { bundle } = await (await startBackup(rig.rig.client, { lane: lane.lane, tier: 'B' })).result();
    return new Scene({ rig, lane, bundle }, await lookAt(rig.rig.bed, lane));
  }

  /** Lives on, then starts the operation. */
  async play(operation: OperationName): Promise<Play> {
    const { bed, storePath } = this.rig.rig;
    await liveOn(bed, this.lane, Date.now().toString(36));
    const looks = { before: await lookAt(bed, this.lane), target: this.saved };
    const store = new StoreWatch(storePath);
    return new Play(this, looks, store, await startOperation(this, operation));
  }

  /** A fault of an activity of this lane's section. */
  arm(fault: Omit<Fault, 'workflow' | 'call'> & { readonly call?: number }): Armed {
    return this.rig.faults.arm({ call: 1, ...fault, workflow: sectionOf(this) });
  }

  /** The journal on the lane's disk, read as the operator's eye would. */
  journal(): Journal | undefined {
    try {
      return JSON.parse(readFileSync(join(this.lane.realHome, '.clawback/journal/journal.json'), 'utf8')) as Journal;
    } catch {
      return undefined;
    }
  }

  /** How many of the journal's renames have been made; what was renamed away comes back under its name by a later one. */
  renamesDone(): number {
    const { renames = [] } = this.journal() ?? {};
    const has = (path: string): boolean => exists(join(this.lane.realHome, path));
    const comesBack = (name: string): boolean => renames.some(({ to }) => to === name);
    return renames.filter(({ from, to }) => has(to) && (comesBack(from) || !has(from))).length;
  }

  /** Waits for what the disk shows. */
  async until(what: string, holds: () => boolean, withinMs = 60_000): Promise<void> {
    const untilMs = Date.now() + withinMs;
    while (!holds()) {
      if (Date.now() > untilMs) throw new Error(`not within ${withinMs} ms: ${what}`);
      await sleep(2);
    }
  }

  /** Uploads to the store that are under way, or were when a worker died. */
  get uploads(): number {
    return readdirSync(join(this.rig.rig.storePath, '.uploads')).length;
  }
}

function exists(path: string): boolean {
  const at = path.lastIndexOf('/');
  try {
    return readdirSync(path.slice(0, at)).includes(path.slice(at + 1));
  } catch {
    return false;
  }
}

export class Play {
  readonly #scene: Scene;
  readonly #looks: Looks;
  readonly #store: StoreWatch;
  readonly running: Running;

  constructor(scene: Scene, looks: Looks, store: StoreWatch, running: Running) {
    this.#scene = scene;
    this.#looks = looks;
    this.#store = store;
    this.running = running;
  }

  /** Waits for the operation's end, and looks at everything. */
  async end(): Promise<{ readonly outcome: string } & Aftermath> {
    const outcome = await this.running.outcome();
    const { running } = this;
    return { outcome, ...(await aftermath(this.#scene, { running, looks: this.#looks, store: this.#store })) };
  }
}
