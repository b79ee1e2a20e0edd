// The demo's story: a fleet of three lanes, a backup of each, a bad day for one, a restore.

import { startBackup, startRestore } from '../../src/client/start.ts';
import type { BackupResult, RestoreResult } from '../../src/contract/results.ts';
import { Failure } from '../../src/domain/failure.ts';
import { findVersitygw } from '../../src/embedded/versitygw.ts';
import { type BedKind, bestBedKind } from '../bed/bed.ts';
import { findPrograms } from '../bed/programs.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import { Rig } from '../rig/rig.ts';
import { wreckLane } from '../rig/wreck.ts';
import type { CleanUp } from './clean-up.ts';
import { claimFolder, removeFolder } from './folder.ts';
import { requireStandIns } from './stand-ins.ts';

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
  /** What may be tried while it is kept up, a line each. */
  readonly keepUp: readonly string[];
}

export interface DemoOptions {
  readonly say: (line: string) => void;
  /** What may take minutes the first time on a machine, timed apart. */
  readonly setUp: () => Promise<void>;
  /** Gets what ends the demo and removes its folder; its caller runs it. */
  readonly cleanUp: CleanUp;
  readonly dir: string;
  readonly kind: BedKind;
  /** Of all lanes together. */
  readonly bytes: number;
}

/** Never namespaces: the demo needs nobody's root, and makes no user, not even in a namespace. */
export function demoBedKind(asked: string | undefined): BedKind {
  if (asked === 'sshd' || asked === 'in-process') return asked;
  if (asked !== undefined)
    throw new Failure('InvalidInput', `no bed ${asked}; there are sshd and in-process`, { field: '--bed' });
  return bestBedKind() === 'in-process' ? 'in-process' : 'sshd';
}

export async function runDemo({ say, setUp, cleanUp, dir, kind, bytes }: DemoOptions): Promise<Demo> {
  say(foundLine(kind));
  const store = (await findVersitygw()) === undefined ? 'directory' : 's3';
  say(
    store === 's3' ? 'store: S3 (versitygw)' : 'store: a directory (no versitygw; `npm run fetch-servers` builds it)',
  );
  await claimFolder(dir);
  cleanUp.add(() => removeFolder(dir));
  const setupStartedMs = Date.now();
  await setUp();
  const setupMs = Date.now() - setupStartedMs;
  const rig = await Rig.start({
    dir,
    kind,
    hosts: [{ name: 'mac-1', lanes: 3 }],
    dataBytes: bytes / 3,
    headless: false,
    store,
    onBed: requireStandIns,
  });
  cleanUp.add(() => rig.stop());
  say(`Temporal at ${rig.server.address}, its UI at ${rig.server.uiUrl}`);
  await rig.startWorker();
  const lanes = await tellStory(rig, say);
  const restored = lanes.flatMap(({ restore }) => restore ?? []);
  const ok = restored.length > 0 && restored.every(({ messageAnswered, identical }) => messageAnswered && identical);
  return { report: { ok, setupMs, bed: kind, store, lanes }, keepUp: hintsOf(rig) };
}

/** The first line: what is real here, and what stands in for the rest. */
function foundLine(kind: BedKind): string {
  const { sshd, bsdtar, sqlite3 } = findPrograms();
  const real = (name: string, path: string | undefined, instead: string): string =>
    path === undefined ? `no ${name} (${instead} stands in)` : `${name} (${path})`;
  const found = [
    kind === 'sshd' ? real('sshd', sshd, '') : 'an SSH server in Node in place of sshd',
    real('bsdtar', bsdtar, 'GNU tar'),
    real('sqlite3', sqlite3, "Node's SQLite"),
  ];
  return `found ${found.join(', ')}; launchctl, security, sudo and the gateways are stand-ins`;
}

function hintsOf(rig: Rig): string[] {
  return [
    '',
    `kept up until Ctrl-C: Temporal UI ${rig.server.uiUrl}`,
    `try:  TEMPORAL_ADDRESS=${rig.server.address} CLAWBACK_FLEET=${rig.fleetPath} ./clawback status`,
  ];
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
