// Do lanes hold each other up? Three hosts stand behind a link of 20 MB/s each: three lanes at once are set against one
// of them alone, by the time of the slowest. The links are proxies of this machine, whose cores everything shares; how
// busy they were stands beside each figure, for a ratio that full cores made says nothing about the lanes.

import { availableParallelism, loadavg } from 'node:os';
import { startBackupFleet, startRestoreFleet } from '../../src/client/start.ts';
import type { FleetResult } from '../../src/contract/fleet-run.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Rig } from '../rig/rig.ts';
import { withRig } from './bench-rig.ts';
import { dropBaks, emptyStore, type What } from './compare.ts';
import { median } from './medians.ts';
import { say } from './say.ts';
import { measured } from './usage.ts';

const linkBytesPerSecond = 20e6;
const laneCount = 3;

/** What docs/performance.md promises: the slowest of three lanes against one alone. */
const atMost = 1.15;

interface LinkRun {
  /** Of the slowest lane. */
  readonly seconds: number;
  /** Of this machine's, on average over the run. */
  readonly coresBusy: number;
}

export interface LinksRow {
  readonly what: What;
  readonly round: number;
  readonly one: LinkRun;
  readonly three: LinkRun;
  readonly ratio: number;
}

export interface LinksReport {
  readonly ok: boolean;
  /** Of each lane. */
  readonly sizeBytes: number;
  readonly linkBytesPerSecond: number;
  readonly cores: number;
  readonly rounds: number;
  /** Before the first run, of one minute: what others do on this machine. */
  readonly loadBefore: number;
  readonly rows: readonly LinksRow[];
  /** Medians of the rounds. */
  readonly aims: readonly {
    readonly aim: What;
    readonly ratio: number;
    readonly atMost: number;
    readonly met: boolean;
  }[];
}

export async function measureLinks(options: { readonly bytes: number; readonly rounds: number }): Promise<LinksReport> {
  const { bytes, rounds } = options;
  const cores = availableParallelism();
  const loadBefore = loadavg()[0] ?? 0;
  const bench = { bytes, store: 'directory', hosts: laneCount, linkBytesPerSecond, processes: cores } as const;
  const rows = await withRig(bench, async (rig) => {
    await (await startBackupFleet(rig.client, { all: true, tier: 'A' })).result();
    const all: LinksRow[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      say(`round ${round} of ${rounds}…`);
      all.push(...(await roundOf(rig, round)));
    }
    return all;
  });
  const aims = (['first backup', 'full restore'] as const).map((what) => aimOf(what, rows));
  const ok = aims.every(({ met }) => met);
  return { ok, sizeBytes: bytes, linkBytesPerSecond, cores, rounds, loadBefore, rows, aims };
}

async function roundOf(rig: Rig, round: number): Promise<LinksRow[]> {
  const names = rig.bed.lanes.map(({ lane }) => lane);
  const one = await bothOf(rig, names.slice(0, 1));
  const three = await bothOf(rig, names);
  return (['first backup', 'full restore'] as const).map((what) => ({
    what,
    round,
    one: one[what],
    three: three[what],
    ratio: three[what].seconds / one[what].seconds,
  }));
}

/** A first backup of these lanes at once, and a restore of them at once. */
async function bothOf(rig: Rig, lanes: string[]): Promise<Readonly<Record<What, LinkRun>>> {
  await emptyStore(openStore('primary', { kind: 'directory', path: rig.storePath }));
  const backup = await runOf(async () => (await startBackupFleet(rig.client, { lanes, tier: 'B' })).result());
  const restore = await runOf(async () => (await startRestoreFleet(rig.client, { lanes })).result());
  rig.bed.lanes.forEach(dropBaks);
  return { 'first backup': backup, 'full restore': restore };
}

async function runOf(work: () => Promise<FleetResult>): Promise<LinkRun> {
  const { result, seconds, cpuSeconds } = await measured(work);
  const failed = result.lanes.find(({ code }) => code !== null);
  if (failed) throw new Error(`lane ${failed.lane}: ${failed.code}: ${failed.message}`);
  const slowestMs = Math.max(...result.lanes.map(({ elapsedMs }) => elapsedMs));
  return { seconds: slowestMs / 1000, coresBusy: cpuSeconds / seconds };
}

function aimOf(what: What, rows: readonly LinksRow[]): LinksReport['aims'][number] {
  const ratio = median(rows.filter((row) => row.what === what).map((row) => row.ratio));
  return { aim: what, ratio, atMost, met: ratio <= atMost };
}
