// The demo's story, in chapters: a fleet of three lanes is backed up; a bad upgrade is found and recovered from; a bad day
// wrecks all lanes, and they are restored at once; the gate is passed with short days; receipts are opened.

import { statfsSync } from 'node:fs';
import { Failure } from '../../src/domain/failure.ts';
import { limits } from '../../src/domain/limits.ts';
import { usedRatioOf } from '../../src/domain/quantity.ts';
import { findVersitygw } from '../../src/embedded/versitygw.ts';
import { type BedKind, bestBedKind } from '../bed/bed.ts';
import { findPrograms } from '../bed/programs.ts';
import { Rig } from '../rig/rig.ts';
import { backUpAll, badDay, type FleetReport, type LaneReport } from './bad-day.ts';
import type { CleanUp } from './clean-up.ts';
import { claimFolder, removeFolder } from './folder.ts';
import { disaster, type IncidentReport, prepareIncident } from './incident.ts';
import { firstLines, type ReceiptReport, verifiedReceipts } from './receipts.ts';
import { type GateReport, shortGate } from './short-gate.ts';
import { requireStandIns } from './stand-ins.ts';

export interface DemoReport {
  readonly ok: boolean;
  readonly setupMs: number;
  readonly elapsedMs: number;
  readonly bed: string;
  readonly store: string;
  readonly fleet: FleetReport;
  readonly lanes: readonly LaneReport[];
  readonly incidents: readonly IncidentReport[];
  /** Null where it was left out; `leftOut` says why. */
  readonly gate: GateReport | null;
  readonly receipts: readonly ReceiptReport[];
  /** Title and verdict of the newest receipt, as the command shows them. */
  readonly shown: readonly string[];
  readonly leftOut: readonly string[];
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
  /** Backup, bad day and receipts alone. */
  readonly short: boolean;
}

/** Never namespaces: the demo needs nobody's root, and makes no user, not even in a namespace. */
export function demoBedKind(asked: string | undefined): BedKind {
  if (asked === 'sshd' || asked === 'in-process') return asked;
  if (asked !== undefined)
    throw new Failure('InvalidInput', `no bed ${asked}; there are sshd and in-process`, { field: '--bed' });
  return bestBedKind() === 'in-process' ? 'in-process' : 'sshd';
}

export async function runDemo({ say, setUp, cleanUp, dir, kind, bytes, short }: DemoOptions): Promise<Demo> {
  say(foundLine(kind));
  const store = (await findVersitygw()) === undefined ? 'directory' : 's3';
  say(
    store === 's3' ? 'store: S3 (versitygw)' : 'store: a directory (no versitygw; `npm run fetch-servers` builds it)',
  );
  await claimFolder(dir);
  cleanUp.add(() => removeFolder(dir));
  const leftOut = whatIsLeftOut(dir, short);
  for (const line of leftOut) say(line);
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
  await prepareIncident(rig);
  say(`Temporal at ${rig.server.address}, its UI at ${rig.server.uiUrl}`);
  await rig.startWorker();
  const told = await tellStory(rig, { say, short, gate: leftOut.length === 0 });
  return {
    report: { ok: held(told), setupMs, bed: kind, store, ...told, leftOut },
    keepUp: hintsOf(rig),
  };
}

/** The gate's guardrail wants room, and a demonstration bends no rule. */
function whatIsLeftOut(dir: string, short: boolean): string[] {
  if (short) return ['--short: without the disaster and the gate'];
  const { blocks, bfree, bavail } = statfsSync(dir);
  const used = usedRatioOf({ usedBytes: blocks - bfree, freeBytes: bavail });
  if (used < limits.diskFullRatio) return [];
  return [
    `without the gate: the disk of ${dir} is ${Math.round(used * 100)} % full, and its guardrail asks for less than ${limits.diskFullRatio * 100} % (--dir names another)`,
  ];
}

type Story = Pick<DemoReport, 'fleet' | 'lanes' | 'incidents' | 'gate' | 'receipts' | 'shown'>;

interface Telling {
  readonly say: (line: string) => void;
  readonly short: boolean;
  readonly gate: boolean;
}

async function tellStory(rig: Rig, { say, short, gate: withGate }: Telling): Promise<Story> {
  say(`backing up ${rig.bed.lanes.length} lanes (tier B)…`);
  const backedUp = await backUpAll(rig);
  const incidents: IncidentReport[] = [];
  if (!short) {
    say('a bad upgrade of lane-1: its gateway exits in a loop; nobody but the watch looks…');
    incidents.push(await disaster(rig, say));
  }
  const { fleet, lanes } = await badDay(rig, backedUp, say);
  let gate: GateReport | null = null;
  if (withGate) {
    say('the 7-day gate of mac-1, with days of 5 seconds…');
    gate = await shortGate(rig, say);
  }
  const receipts = await verifiedReceipts(rig);
  const newest = gate?.receipt ?? receipts.findLast(({ kind }) => kind === 'restore')?.receipt;
  const lane = gate === null ? receipts.find(({ receipt }) => receipt === newest)?.subject : 'lane-1';
  const shown = newest && lane ? await firstLines(rig, { receipt: newest, lane }) : [];
  return { fleet, lanes, incidents, gate, receipts, shown };
}

/** Every promise that a chapter makes. */
function held({ lanes, incidents, gate, receipts }: Story): boolean {
  return (
    lanes.every(({ restore }) => restore?.messageAnswered && restore.identical) &&
    incidents.every(({ faults, messageAnswered }) => faults.length === 0 && messageAnswered) &&
    (gate === null || gate.phase === 'signed') &&
    receipts.length >= lanes.length &&
    receipts.every(({ verified }) => verified)
  );
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
