// The demo's story: a fleet of three lanes, a backup of each, a bad day for all, a restore of the three at once.

import type { Client } from '@temporalio/client';
import { startBackup, startRestoreFleet } from '../../src/client/start.ts';
import type { FleetLaneRow, FleetResult } from '../../src/contract/fleet-run.ts';
import type { BackupResult, RestoreResult } from '../../src/contract/results.ts';
import { Failure } from '../../src/domain/failure.ts';
import { findVersitygw } from '../../src/embedded/versitygw.ts';
import { type BedKind, bestBedKind } from '../bed/bed.ts';
import { findPrograms } from '../bed/programs.ts';
import { type LanePicture, pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
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
  /** Missing where the lane did not come back: then `failed` says why. */
  readonly restore?: Pick<RestoreResult, 'rtoMs' | 'steps' | 'messageAnswered' | 'rpo'> & {
    readonly identical: boolean;
    readonly differences: readonly string[];
  };
  readonly failed?: string;
}

/** The restore of all lanes, under one clock; `sequenceMs` is the sum of the lanes' own times. */
export type FleetReport = Pick<FleetResult, 'wallMs' | 'sequenceMs' | 'rtoMs' | 'rtoBudgetMs'> & {
  readonly workflowId: string;
};

export interface DemoReport {
  readonly ok: boolean;
  readonly setupMs: number;
  readonly elapsedMs: number;
  readonly bed: string;
  readonly store: string;
  readonly fleet: FleetReport;
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
  const { fleet, lanes } = await tellStory(rig, say);
  const ok = lanes.every(({ restore }) => restore?.messageAnswered && restore.identical);
  return { report: { ok, setupMs, bed: kind, store, fleet, lanes }, keepUp: hintsOf(rig) };
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

async function tellStory(rig: Rig, say: (line: string) => void): Promise<Pick<DemoReport, 'fleet' | 'lanes'>> {
  const { bed, client } = rig;
  const before = new Map(bed.lanes.map((lane) => [lane.lane, pictureOf(lane)]));
  say(`backing up ${bed.lanes.length} lanes (tier B)…`);
  const backups = await Promise.all(
    bed.lanes.map(async ({ lane }) => (await startBackup(client, { lane, tier: 'B' })).result()),
  );
  say("the bad day: every lane's gateway is killed, its tree and its Keychain items are deleted");
  await Promise.all(bed.lanes.map((lane) => wreckLane(bed, lane)));
  say(`restoring ${bed.lanes.length} lanes at once…`);
  const run = await startRestoreFleet(client, { all: true });
  const { wallMs, sequenceMs, rtoMs, rtoBudgetMs, lanes: rows } = await run.result();
  const lanes = await Promise.all(
    backups.map(async (backup): Promise<LaneReport> => {
      const { lane, bundle, segments, sizeBytes, sealedBytes, elapsedMs } = backup;
      const row = rows.find((one) => one.lane === lane);
      const compare = (): string[] => pictureDifferences(before.get(lane) as LanePicture, pictureOf(bed.lane(lane)));
      const came = await cameBack(client, row, compare);
      return { lane, backup: { bundle, segments, sizeBytes, sealedBytes, elapsedMs }, ...came };
    }),
  );
  return { fleet: { workflowId: run.workflowId, wallMs, sequenceMs, rtoMs, rtoBudgetMs }, lanes };
}

/** What the lane's own workflow answered; the RTO is by the one clock of all lanes. */
async function cameBack(
  client: Client,
  row: FleetLaneRow | undefined,
  compare: () => readonly string[],
): Promise<Pick<LaneReport, 'restore' | 'failed'>> {
  if (!row?.workflowId || row.code !== null) return { failed: `${row?.code ?? 'Unexpected'}: ${row?.message ?? ''}` };
  const result = (await client.workflow.getHandle(row.workflowId).result()) as RestoreResult;
  const { steps, messageAnswered, rpo } = result;
  const differences = compare();
  return {
    restore: {
      rtoMs: row.rtoMs ?? result.rtoMs,
      steps,
      messageAnswered,
      rpo,
      identical: differences.length === 0,
      differences: differences.slice(0, 20),
    },
  };
}
