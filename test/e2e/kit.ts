// What the end-to-end tests share: a rig of their own, what an operation failed with, and proof that nothing changed.

import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { toFailure } from '../../src/client/failures.ts';
import { startBackup, startRestore } from '../../src/client/start.ts';
import type { BackupResult, RestoreResult } from '../../src/contract/results.ts';
import type { Failure, FailureCode } from '../../src/domain/failure.ts';
import type { BedLane } from '../bed/bed.ts';
import { type ShellResult, runOnHost } from '../bed/bed-shell.ts';
import { type LanePicture, pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import { Rig, type RigOptions } from '../rig/rig.ts';
import { gatewayPids } from '../rig/wreck.ts';

/** The parts of a fleet file that tests change. */
export interface FleetDraft {
  readonly hosts: Record<string, Record<string, unknown>>;
  readonly lanes: Record<string, Record<string, unknown>>;
  readonly stores: Record<string, Record<string, unknown>>;
  limits?: Record<string, unknown>;
  retention?: Record<string, unknown>;
}

/** A rig without workers: its fleet file can be changed before any of them reads it. */
export function startRig(options: Omit<RigOptions, 'dir'>): Promise<Rig> {
  return Rig.start({ ...options, dir: mkdtempSync(join(tmpdir(), 'clawback-e2e-')) });
}

export function editFleet(rig: Rig, change: (fleet: FleetDraft) => void): void {
  const fleet = parse(readFileSync(rig.fleetPath, 'utf8')) as FleetDraft;
  change(fleet);
  writeFileSync(rig.fleetPath, stringify(fleet, { lineWidth: 0 }));
}

export async function stopRig(rig: Rig | undefined): Promise<void> {
  await rig?.stop();
  if (rig) rmSync(rig.dir, { recursive: true, force: true });
}

type Input<F extends (client: never, input: never) => unknown> = Omit<Parameters<F>[1], 'lane'>;

export async function backUp(
  rig: Rig,
  lane: BedLane,
  input: Input<typeof startBackup> = { tier: 'B' },
): Promise<BackupResult> {
  return (await startBackup(rig.client, { lane: lane.lane, waitMs: 0, ...input })).result();
}

export async function restore(rig: Rig, lane: BedLane, input: Input<typeof startRestore> = {}): Promise<RestoreResult> {
  return (await startRestore(rig.client, { lane: lane.lane, waitMs: 0, ...input })).result();
}

/** What an operation fails with; an error when it succeeds. */
export async function failureOf(operation: Promise<unknown>): Promise<Failure> {
  const outcome = await operation.then(
    () => undefined,
    (error: unknown) => toFailure(error),
  );
  if (outcome === undefined) throw new Error('it was to fail, and succeeded');
  return outcome;
}

/** A command of the lane's user on its host; stdin for what may stand on no command line. */
export function asLane(rig: Rig, lane: BedLane, command: string, stdin = ''): Promise<ShellResult> {
  const { tools } = rig.bed.host(lane.host);
  const quoted = `'${command.replaceAll("'", `'\\''`)}'`;
  return runOnHost(
    rig.bed,
    rig.bed.host(lane.host),
    `${tools['sudo'] ?? '/usr/bin/sudo'} -n -H -u ${lane.user} /bin/sh -c ${quoted}`,
    stdin,
  );
}

/** A verb of `security` for the lane's keychain, given on stdin. @returns what it says on stderr and stdout */
export async function keychain(rig: Rig, lane: BedLane, verb: string): Promise<string> {
  const tool = rig.bed.host(lane.host).tools['security'] ?? '/usr/bin/security';
  const { stdout, stderr } = await asLane(rig, lane, `${tool} -i`, `${verb} ${lane.keychain}\n`);
  return stdout + stderr;
}

export async function unlockKeychain(rig: Rig, lane: BedLane): Promise<void> {
  await keychain(rig, lane, `unlock-keychain -p ${lane.keychainPassword}`);
}

/** Each item's value as `security` prints it, by service. */
export async function itemsOf(
  rig: Rig,
  lane: BedLane,
  services = lane.secrets.map(({ service }) => service),
): Promise<Record<string, string>> {
  const tool = rig.bed.host(lane.host).tools['security'] ?? '/usr/bin/security';
  const { stdout } = await asLane(
    rig,
    lane,
    services
      .map(
        (service) =>
          `${tool} find-generic-password -g -s ${service} -a ${lane.user} ${lane.keychain} 2>&1 >/dev/null; echo =`,
      )
      .join('\n'),
  );
  const said = stdout.split('\n=\n');
  return Object.fromEntries(
    services.map((service, at) => [service, /^password: .*$/m.exec(said[at] ?? '')?.[0] ?? 'absent']),
  );
}

export async function setItem(rig: Rig, lane: BedLane, service: string, value: string): Promise<void> {
  await keychain(rig, lane, `add-generic-password -U -s ${service} -a ${lane.user} -w ${value}`);
}

/** Writes a file in place: owner, mode and inode stay. */
export function overwrite(path: string, content: string | Buffer): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from(content));
  ftruncateSync(file, Buffer.byteLength(content));
  closeSync(file);
}

/** Everything of a lane and its store that a refused operation may not touch: it leaves its receipt, no more. */
export interface LaneState {
  readonly picture: LanePicture;
  readonly job: string;
  readonly pids: readonly number[];
  readonly plist: string;
  readonly items: Readonly<Record<string, string>>;
  /** What Clawback and restores leave in the home. */
  readonly left: readonly string[];
  readonly store: Readonly<Record<string, string>>;
}

export async function stateOf(rig: Rig, lane: BedLane): Promise<LaneState> {
  return {
    picture: pictureOf(lane),
    job: await jobOf(rig, lane),
    pids: gatewayPids(lane),
    plist: plistsOf(rig, lane),
    items: await itemsOf(rig, lane),
    left: leftOn(lane),
    store: bundlesOf(storeListing(rig)),
  };
}

/** A line for each thing that is not as it was. */
export function stateDifferences(before: LaneState, after: LaneState): string[] {
  const lines = pictureDifferences(before.picture, after.picture);
  for (const part of ['job', 'pids', 'plist', 'items', 'left', 'store'] as const) {
    const [one, other] = [JSON.stringify(before[part]), JSON.stringify(after[part])];
    if (one !== other) lines.push(`${part}: ${one} → ${other}`);
  }
  return lines;
}

/** launchd's state of the job: loaded and running by which process, and whether it may start at boot. */
async function jobOf(rig: Rig, lane: BedLane): Promise<string> {
  const host = rig.bed.host(lane.host);
  const launchctl = host.tools['launchctl'] ?? '/bin/launchctl';
  // print and print-disabled need no root
  const { stdout } = await runOnHost(
    rig.bed,
    host,
    `${launchctl} print system/${lane.label}; ${launchctl} print-disabled system`,
  );
  return stdout
    .split('\n')
    .filter((line) => /^\t(?:state|pid|runs) = |"[^"]+" => /.test(line))
    .join('\n');
}

export function realPlist(rig: Rig, lane: BedLane): string {
  const { root, realRoot } = rig.bed.host(lane.host);
  return root === '/' ? join(realRoot, lane.plist) : lane.plist;
}

function plistsOf(rig: Rig, lane: BedLane): string {
  const path = realPlist(rig, lane);
  const folder = join(path, '..');
  const names = readdirSync(folder).filter((name) => name.startsWith(`${lane.label}.plist`));
  return names
    .toSorted()
    .map((name) => `${name} ${digest(join(folder, name))}`)
    .join('\n');
}

/** What our operations left in the home: kept trees, runs, staging trees, an open journal. Fences and the report may stay. */
export function leftOn(lane: BedLane): string[] {
  const home = readdirSync(lane.realHome).filter((name) => /\.bak\.\d+$|^openclaw-(?:logs|undone)\./.test(name));
  const clawback = join(lane.realHome, '.clawback');
  const inside = (folder: string): string[] =>
    existsSync(join(clawback, folder)) ? readdirSync(join(clawback, folder)).map((name) => `${folder}/${name}`) : [];
  return [
    ...home,
    ...inside('run'),
    ...inside('stage'),
    ...inside('journal').filter((name) => name.endsWith('.json')),
  ].toSorted();
}

/** Every object of the store by its digest. */
export function storeListing(rig: Rig): Record<string, string> {
  const files = readdirSync(rig.storePath, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(rig.storePath.length + 1)).toSorted();
  return Object.fromEntries(paths.map((path) => [path, digest(join(rig.storePath, path))]));
}

function bundlesOf(listing: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(listing).filter(([key]) => !key.includes('/receipts/')));
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Runs what must be refused. @returns the code, after checking that neither lane nor store has changed */
export async function refusalOf(
  rig: Rig,
  lane: BedLane,
  operation: () => Promise<unknown>,
): Promise<{ code: FailureCode; message: string; changed: string[] }> {
  const before = await stateOf(rig, lane);
  if (before.pids.length !== 1) throw new Error(`lane ${lane.lane} has ${before.pids.length} gateways`);
  const { code, message } = await failureOf(operation());
  return { code, message, changed: stateDifferences(before, await stateOf(rig, lane)) };
}
