// What a lane is when its host lost its power after the n-th command of an operation that changes something: cut, boot,
// settle, look. Many lanes of a host are cut at once, each after another command.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadFleet } from '../../src/config/fleet-file.ts';
import { placeKeys } from '../rig/keys.ts';
import { HostPool } from '../../src/lane/host-pool.ts';
import { type Bed, type BedOptions, bestBedKind, fleetYaml, startBed } from '../bed/bed.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import { gatewayPids } from '../rig/wreck.ts';
import { answersWithin, liveOn } from './bad-day.ts';
import { journalOf, laneLeftovers, type LaneLook, lookAt, lookDifferences, readItems } from './lane-look.ts';
import { StepLane } from './step-lane.ts';

const cutOperations = ['restore', 'way back', 'undo'] as const;
export type CutOperation = (typeof cutOperations)[number];

export interface Cut {
  readonly operation: CutOperation;
  /** Commands that change something, counted from 1. */
  readonly after: number;
}

/** Each n-th command of an operation of so many. */
export function every(step: number, operation: CutOperation, commands: number): Cut[] {
  return Array.from({ length: Math.ceil(commands / step) }, (_, at) => ({ operation, after: 1 + at * step }));
}

/** After each single command of each operation. */
export async function everyCut(rig: CutRig): Promise<Cut[]> {
  const cuts: Cut[] = [];
  for (const operation of cutOperations) cuts.push(...every(1, operation, await rig.countCommands(operation)));
  return cuts;
}

export interface CutRow extends Cut {
  readonly lane: 'restored' | 'as-before' | 'mixed';
  readonly broken: readonly string[];
}

/** A gateway of the bed listens within a second of its start; the machine may be busy. */
const answerMs = 10_000;
/** So many commands an operation may have more or less than another time, for it looks again at what takes its time. */
const moreOrLess = 3;

export class CutRig {
  readonly bed: Bed;
  readonly lanes: readonly StepLane[];
  readonly #pool: HostPool;
  readonly #saved: ReadonlyMap<StepLane, LaneLook>;

  private constructor(bed: Bed, lanes: readonly StepLane[], pool: HostPool, saved: ReadonlyMap<StepLane, LaneLook>) {
    this.bed = bed;
    this.lanes = lanes;
    this.#pool = pool;
    this.#saved = saved;
  }

  /** @param dir a new folder; kind: the truest that this machine can do when left out */
  static async start(dir: string, hosts: BedOptions['hosts'], kind = bestBedKind()): Promise<CutRig> {
    const bed = await startBed({ kind, dir: join(dir, 'bed'), hosts });
    const [keysDir, storePath, fleetPath] = [join(dir, 'keys'), join(dir, 'store'), join(dir, 'fleet.yaml')];
    await placeKeys(keysDir);
    mkdirSync(storePath);
    writeFileSync(fleetPath, await fleetYaml(bed, { storePath, keysDir }));
    const fleet = await loadFleet(fleetPath);
    const pool = new HostPool(async () => ({ privateKey: bed.sshKey }));
    const lanes = bed.lanes.map((lane) => new StepLane({ bed, lane, fleet, pool, storePath }));
    const saved = new Map<StepLane, LaneLook>();
    const save = async (lane: StepLane): Promise<void> => {
      await lane.save();
      saved.set(lane, await lookAt(bed, lane.lane));
    };
    await Promise.all(lanes.map(save));
    return new CutRig(bed, lanes, pool, saved);
  }

  async stop(): Promise<void> {
    this.#pool.close();
    await this.bed.stop();
  }

  /** How many commands an operation has that change something. */
  async countCommands(operation: CutOperation): Promise<number> {
    const lane = this.#laneAt(0);
    await this.#prepare(lane, operation);
    lane.wire.mend();
    await this.#begin(lane, operation);
    return lane.wire.count;
  }

  /** All cuts, as many at once as there are lanes. */
  async sweep(cuts: readonly Cut[], onRow: (row: CutRow) => void = () => undefined): Promise<CutRow[]> {
    const rows: CutRow[] = [];
    for (let at = 0; at < cuts.length; at += this.lanes.length) {
      const made = await this.#cutAll(cuts.slice(at, at + this.lanes.length));
      made.forEach(onRow);
      rows.push(...made);
    }
    return rows;
  }

  /** A restore whose every step is tried again and again, its way to the host cut one command later each time. */
  async restoreCutOften(): Promise<{ cuts: number; broken: string[] }> {
    const lane = this.#laneAt(0);
    const looks = await this.#prepare(lane, 'restore');
    const cuts = await lane.runCutOften(lane.restoreCalls());
    const { state, broken } = stateOf(looks, await lookAt(this.bed, lane.lane));
    const answers = await answersWithin(lane.lane, answerMs);
    return { cuts, broken: [...broken, ...(state === 'restored' && answers ? [] : [`${state}, answers: ${answers}`])] };
  }

  /** These cuts, a lane each, in one loss of power. */
  async #cutAll(cuts: readonly Cut[]): Promise<CutRow[]> {
    const pairs = cuts.map((cut, at) => ({ cut, lane: this.#laneAt(at) }));
    const looks = await Promise.all(pairs.map(({ cut, lane }) => this.#prepare(lane, cut.operation)));
    await Promise.all(
      pairs.map(async ({ cut, lane }) => {
        lane.wire.mend(cut.after);
        await this.#begin(lane, cut.operation);
        // One that looked less often for its gateway has fewer: there the power goes after its last.
        if (cut.after > lane.wire.count + moreOrLess) throw new Error(`${cut.operation} has no command ${cut.after}`);
      }),
    );
    const hosts = new Set(pairs.map(({ lane }) => this.bed.host(lane.lane.host)));
    await Promise.all([...hosts].map((host) => host.reboot()));
    return Promise.all(pairs.map(({ cut, lane }, at) => this.#lookAfter(lane, cut, looks[at] as Looks)));
  }

  #laneAt(at: number): StepLane {
    const lane = this.lanes[at];
    if (!lane) throw new Error(`there are only ${this.lanes.length} lanes`);
    return lane;
  }

  /** Lives on; what is undone or taken back is done first. */
  async #prepare(lane: StepLane, operation: CutOperation): Promise<Looks> {
    lane.wire.mend();
    await liveOn(this.bed, lane.lane, Date.now().toString(36));
    const saved = this.#saved.get(lane) as LaneLook;
    const before = await lookAt(this.bed, lane.lane);
    if (operation === 'undo') {
      lane.stage();
      await lane.run(lane.restoreCalls());
      return { before: await lookAt(this.bed, lane.lane), target: before };
    }
    lane.stage();
    if (operation === 'way back') await lane.run(lane.restoreCalls().slice(0, -1));
    return { before, target: saved };
  }

  async #begin(lane: StepLane, operation: CutOperation): Promise<void> {
    const settle = { step: 'settleLane', input: {} } as const;
    if (operation === 'restore') await lane.run(lane.restoreCalls());
    else await lane.run(operation === 'undo' ? [{ step: 'beginUndo', input: {} }, settle] : [settle]);
  }

  async #lookAfter(lane: StepLane, cut: Cut, looks: Looks): Promise<CutRow> {
    const early = startedEarly(lane, looks);
    const epoch = journalOf(lane.lane)?.epoch;
    lane.wire.mend();
    const { gateway } = await lane.settle();
    const { state, broken } = stateOf(looks, await lookAt(this.bed, lane.lane));
    const left = laneLeftovers(this.bed, lane.lane, { asBefore: state === 'as-before', before: looks.before });
    const keeps = (cut.operation === 'undo') === (state === 'as-before');
    const copies = epoch === undefined || keeps ? [] : await this.#keptItems(lane, epoch);
    const runs = gateway === 'running' && gatewayPids(lane.lane).length === 1;
    return {
      ...cut,
      lane: state,
      broken: [
        ...broken,
        ...(early ? ['a gateway started at boot into a half tree'] : []),
        ...(runs && (await answersWithin(lane.lane, answerMs)) ? [] : ['its gateway does not answer']),
        ...[...left, ...copies].map((name) => `left: ${name}`),
      ],
    };
  }

  /** Old values that lie beside the items of a restore that is not in place. */
  async #keptItems({ lane }: StepLane, epoch: number): Promise<string[]> {
    const services = lane.secrets.map(({ service }) => `${service}.bak.${epoch}`);
    const items = await readItems(this.bed, lane, services);
    return services.filter((service) => items[service] !== '');
  }
}

interface Looks {
  readonly before: LaneLook;
  readonly target: LaneLook;
}

function stateOf({ before, target }: Looks, now: LaneLook): { state: CutRow['lane']; broken: string[] } {
  const fromBefore = lookDifferences(before, now);
  if (fromBefore.length === 0) return { state: 'as-before', broken: [] };
  const fromTarget = lookDifferences(target, now);
  if (fromTarget.length === 0) return { state: 'restored', broken: [] };
  return { state: 'mixed', broken: [...fromBefore, ...fromTarget].slice(0, 8).map((line) => `mixed: ${line}`) };
}

/** By launchd at boot, before anybody has settled the lane. */
function startedEarly({ lane }: StepLane, { before, target }: Looks): boolean {
  if (gatewayPids(lane).length === 0) return false;
  const now = pictureOf(lane);
  return [before, target].every(({ picture }) => pictureDifferences(picture, now).length > 0);
}
