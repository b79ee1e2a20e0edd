// Runs of one round: ours, the operators' script and the raw floor, each once, one after the other on the same machine.

import { readdirSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { startBackup, startRestore } from '../../src/client/start.ts';
import type { Store } from '../../src/store/store.ts';
import type { BedLane } from '../bed/bed.ts';
import type { Rig } from '../rig/rig.ts';
import type { Peers } from './peers.ts';
import { forgetPeak, measured, peakRssBytes } from './usage.ts';

export type What = 'first backup' | 'full restore';

export interface Run {
  readonly what: What;
  readonly by: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  /** At rest after a backup; null where nothing is stored. */
  readonly storedBytes: number | null;
  readonly loadBefore: number;
}

/** A rig with one lane; its store is emptied before each backup, so that each is a first one. */
export interface Ours {
  readonly by: string;
  readonly rig: Rig;
  readonly store: Store;
}

interface Cost {
  readonly peakRssBytes: number;
  readonly storedBytes: number | null;
}

async function one(what: What, by: string, work: () => Promise<Cost>): Promise<Run> {
  const loadBefore = loadavg()[0] ?? 0;
  const { seconds, cpuSeconds, result } = await measured(work);
  return { what, by, seconds, cpuSeconds, loadBefore, ...result };
}

export function laneOf(rig: Rig): BedLane {
  const [lane] = rig.bed.lanes;
  if (!lane) throw new Error('the bed has no lane');
  return lane;
}

/** The largest peak of the rig's workers while `work` runs. */
async function peakOfWorkers<T>(
  rig: Rig,
  work: () => Promise<T>,
): Promise<{ readonly peak: number; readonly result: T }> {
  const pids = [...rig.workers].map(({ pid }) => pid);
  pids.forEach(forgetPeak);
  const result = await work();
  return { peak: Math.max(...pids.map(peakRssBytes)), result };
}

export async function emptyStore(store: Store): Promise<void> {
  for await (const { key } of store.list('')) await store.delete(key);
}

/** The trees that a live restore replaced: the disk must not fill from round to round. */
export function dropBaks(lane: BedLane): void {
  for (const name of readdirSync(lane.realHome))
    if (name.includes('.bak.')) rmSync(join(lane.realHome, name), { recursive: true, force: true });
}

async function oursRound({ by, rig, store }: Ours): Promise<Run[]> {
  const { lane } = laneOf(rig);
  await emptyStore(store);
  const backup = await one('first backup', by, async () => {
    const run = await peakOfWorkers(rig, async () => (await startBackup(rig.client, { lane, tier: 'B' })).result());
    return { peakRssBytes: run.peak, storedBytes: run.result.sealedBytes };
  });
  const restore = await one('full restore', by, async () => {
    const run = await peakOfWorkers(rig, async () => (await startRestore(rig.client, { lane })).result());
    if (!run.result.messageAnswered) throw new Error('the restored gateway did not answer');
    return { peakRssBytes: run.peak, storedBytes: null };
  });
  dropBaks(laneOf(rig));
  return [backup, restore];
}

async function peersRound(peers: Peers): Promise<Run[]> {
  const runs = [
    await one('first backup', 'raw floor', () => peers.floorBackup()),
    await one('first backup', 'script', () => peers.scriptBackup()),
    await one('full restore', 'script', () => peers.scriptRestore()),
  ];
  peers.tidy();
  return runs;
}

/** Every pair once. */
export async function runRound(ours: readonly Ours[], peers: Peers): Promise<Run[]> {
  const runs = await peersRound(peers);
  for (const candidate of ours) runs.push(...(await oursRound(candidate)));
  return runs;
}
