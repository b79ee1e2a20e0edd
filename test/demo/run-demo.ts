// The demo's story: a fleet of three lanes, a backup of each, a bad day for one, a restore.

import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startBackup, startRestore } from '../../src/client/start.ts';
import type { BackupResult, RestoreResult } from '../../src/contract/results.ts';
import { bestBedKind, cleanBed } from '../bed/bed.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import { Rig } from '../rig/rig.ts';
import { wreckLane } from '../rig/wreck.ts';
import { requireStandIns } from './stand-ins.ts';

/** Some 300 MB on three lanes. */
const bytesPerLane = 100_000_000;

export interface LaneReport {
  readonly lane: string;
  readonly backup: Pick<BackupResult, 'bundle' | 'segments' | 'sizeBytes' | 'sealedBytes'> & {
    readonly elapsedMs: number;
  };
  readonly restore?: Pick<RestoreResult, 'rtoMs' | 'steps' | 'messageAnswered' | 'rpo'> & {
    readonly identical: boolean;
    readonly differences: readonly string[];
  };
}

export interface DemoReport {
  readonly ok: boolean;
  readonly setupMs: number;
  readonly elapsedMs: number;
  readonly bed: string;
  readonly store: string;
  readonly lanes: readonly LaneReport[];
}

export interface Demo {
  readonly report: Omit<DemoReport, 'elapsedMs'>;
  /** Leaves everything up until Ctrl-C. */
  keep(say: (line: string) => void): Promise<void>;
  stop(): Promise<void>;
}

export interface DemoOptions {
  readonly say: (line: string) => void;
  /** What may take minutes the first time on a machine, timed apart. */
  readonly setUp: () => Promise<void>;
}

export async function runDemo({ say, setUp }: DemoOptions): Promise<Demo> {
  const dir = resolve(import.meta.dirname, '../../.cache/demo');
  await cleanEarlier(dir);
  const setupStartedMs = Date.now();
  await setUp();
  const setupMs = Date.now() - setupStartedMs;
  const rig = await startRig(dir, say);
  try {
    const lanes = await tellStory(rig, say);
    const ok =
      lanes.some(({ restore }) => restore) &&
      lanes.every(({ restore }) => !restore || (restore.messageAnswered && restore.identical));
    return {
      report: { ok, setupMs, bed: rig.bed.kind, store: 'directory', lanes },
      keep: (tell) => keepUp(rig, tell),
      stop: async () => {
        await rig.stop();
        rmSync(dir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rig.stop();
    throw error;
  }
}

/** A demo that was killed leaves its bed's processes and folder: they are ended first. */
async function cleanEarlier(dir: string): Promise<void> {
  await cleanBed(join(dir, 'bed'));
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
}

async function startRig(dir: string, say: (line: string) => void): Promise<Rig> {
  // Never namespaces: the demo needs nobody's root, and makes no user, not even in a namespace.
  const kind = bestBedKind() === 'in-process' ? 'in-process' : 'sshd';
  const rig = await Rig.start({
    dir,
    kind,
    hosts: [{ name: 'mac-1', lanes: 3 }],
    dataBytes: bytesPerLane,
    headless: false,
    onBed: async (bed) => {
      say(bed.describe());
      await requireStandIns(bed);
    },
  });
  try {
    say(`Temporal at ${rig.server.address}, its UI at ${rig.server.uiUrl}`);
    await rig.startWorker();
    return rig;
  } catch (error) {
    await rig.stop();
    throw error;
  }
}

async function tellStory(rig: Rig, say: (line: string) => void): Promise<LaneReport[]> {
  const [victim] = rig.bed.lanes;
  if (!victim) throw new Error('the bed has no lane');
  const before = pictureOf(victim);
  say(`backing up ${rig.bed.lanes.length} lanes (tier B)…`);
  const backups = await Promise.all(
    rig.bed.lanes.map(async ({ lane }) => (await startBackup(rig.client, { lane, tier: 'B' })).result()),
  );
  say(`the bad day: ${victim.lane}'s gateway is killed, its tree and its Keychain items are deleted`);
  await wreckLane(rig.bed, victim);
  say(`restoring ${victim.lane}…`);
  const restored = await (await startRestore(rig.client, { lane: victim.lane })).result();
  const differences = pictureDifferences(before, pictureOf(victim));
  return backups.map((backup) => ({
    lane: backup.lane,
    backup: {
      bundle: backup.bundle,
      segments: backup.segments,
      sizeBytes: backup.sizeBytes,
      sealedBytes: backup.sealedBytes,
      elapsedMs: backup.elapsedMs,
    },
    ...(backup.lane === victim.lane ? { restore: restoreReport(restored, differences) } : {}),
  }));
}

function restoreReport(
  { rtoMs, steps, messageAnswered, rpo }: RestoreResult,
  differences: readonly string[],
): NonNullable<LaneReport['restore']> {
  return {
    rtoMs,
    steps,
    messageAnswered,
    rpo,
    identical: differences.length === 0,
    differences: differences.slice(0, 20),
  };
}

async function keepUp(rig: Rig, say: (line: string) => void): Promise<void> {
  say('');
  say(`kept up until Ctrl-C: Temporal UI ${rig.server.uiUrl}`);
  say(`try:  TEMPORAL_ADDRESS=${rig.server.address} CLAWBACK_FLEET=${rig.fleetPath} ./clawback status`);
  await new Promise<void>((done) => process.once('SIGINT', done).once('SIGTERM', done));
}
