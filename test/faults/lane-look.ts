// How a lane looks: its trees and database (lane-picture.ts), its Keychain items and its plist. A lane is "as it was"
// or "restored" only when all three are.

import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Journal } from '../../src/contract/journal.ts';
import type { Bed, BedLane } from '../bed/bed.ts';
import type { TreeDigest } from '../bed/tree-digest.ts';
import { type LanePicture, pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import { onHost } from '../rig/wreck.ts';

export interface LaneLook {
  readonly picture: LanePicture;
  /** By service: what `security` prints of it. */
  readonly items: Readonly<Record<string, string>>;
  readonly plist: string;
  /** What earlier restores keep beside: names below the home, and of the plist's folder. */
  readonly kept: readonly string[];
}

export async function lookAt(bed: Bed, lane: BedLane): Promise<LaneLook> {
  return {
    picture: pictureOf(lane),
    items: await readItems(bed, lane),
    plist: readFileSync(plistPath(bed, lane), 'utf8'),
    kept: keptBy(bed, lane),
  };
}

export function withoutOwners(look: LaneLook): LaneLook {
  const trees = [...look.picture.trees].map(([root, { sha256, entries }]): [string, TreeDigest] => [
    root,
    { sha256, entries: new Map([...entries].map(([path, entry]) => [path, { ...entry, uid: 0, gid: 0 }])) },
  ]);
  return { ...look, picture: { ...look.picture, trees: new Map(trees) } };
}

export function lookDifferences(one: LaneLook, other: LaneLook): string[] {
  const services = [...new Set([...Object.keys(one.items), ...Object.keys(other.items)])];
  return [
    ...pictureDifferences(one.picture, other.picture),
    ...services.filter((service) => one.items[service] !== other.items[service]).map((service) => `item ${service}`),
    ...(one.plist === other.plist ? [] : ['plist']),
  ];
}

export function plistPath(bed: Bed, lane: BedLane): string {
  const { root, realRoot } = bed.host(lane.host);
  return root === '/' ? join(realRoot, lane.plist) : lane.plist;
}

/** What a restore leaves beside, so that it can be undone. */
function keptBy(bed: Bed, lane: BedLane): string[] {
  const home = readdirSync(lane.realHome).filter((name) => /\.bak\.\d+$|^openclaw-(?:logs|undone)\./.test(name));
  const folder = join(plistPath(bed, lane), '..');
  return [...home, ...readdirSync(folder).filter((name) => name.startsWith(`${lane.label}.plist.bak.`))].toSorted();
}

/** Makes what all restores of a lane keep beside older than it is: journals, and the names that stand in them. */
export function ageKept(bed: Bed, lane: BedLane, byMs: number): number {
  const folder = join(lane.realHome, '.clawback/journal');
  const journals = readdirSync(folder).filter((name) => /^restored(?:-\d+)?\.json$/.test(name));
  for (const name of journals) {
    const text = readFileSync(join(folder, name), 'utf8');
    const { epoch } = JSON.parse(text) as { epoch: number };
    const older = epoch - Math.ceil(byMs / 1000);
    writeFileSync(join(folder, name), text.replaceAll(`${epoch}`, `${older}`));
    for (const place of [lane.realHome, join(plistPath(bed, lane), '..')]) {
      const kept = readdirSync(place).filter((one) => one.endsWith(`.bak.${epoch}`));
      for (const one of kept) renameSync(join(place, one), join(place, one.replace(`${epoch}`, `${older}`)));
    }
  }
  return journals.length;
}

/** The open journal on the lane's disk, read as the operator's eye would. */
export function journalOf(lane: BedLane): Journal | undefined {
  try {
    return JSON.parse(readFileSync(join(lane.realHome, '.clawback/journal/journal.json'), 'utf8')) as Journal;
  } catch {
    return undefined;
  }
}

/** Runs a command as the lane's user, the Keychain unlocked before. */
async function withKeychain(bed: Bed, lane: BedLane, command: string): Promise<string> {
  const { tools } = bed.host(lane.host);
  const security = tools['security'] ?? '/usr/bin/security';
  const script = `security=${security}; keychain=${lane.keychain}; $security unlock-keychain -p '${lane.keychainPassword}' $keychain; ${command}`;
  const sudo = tools['sudo'] ?? '/usr/bin/sudo';
  const { status, output } = await onHost(
    bed,
    lane.host,
    `${sudo} -n -H -u ${lane.user} /bin/sh -c "${script.replaceAll(/["$`\\]/g, '\\$&')}"`,
  );
  if (status !== 0) throw new Error(`the keychain of ${lane.lane} cannot be read: status ${status}\n${output}`);
  return output;
}

/** By service, in base64; empty: it is not there. */
export async function readItems(
  bed: Bed,
  lane: BedLane,
  services = lane.secrets.map(({ service }) => service),
): Promise<Record<string, string>> {
  const reads = services.map(
    (service) =>
      `echo "${service}=$($security find-generic-password -w -s ${service} -a ${lane.user} $keychain 2>/dev/null | base64 -w0)"`,
  );
  const output = await withKeychain(bed, lane, reads.join('; '));
  return Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

export async function setItem(bed: Bed, lane: BedLane, service: string, value: string): Promise<void> {
  await withKeychain(
    bed,
    lane,
    `$security add-generic-password -U -s ${service} -a ${lane.user} -w ${value} $keychain`,
  );
}

/** What no operation may leave on a lane, once the store has been swept. */
export function laneLeftovers(
  bed: Bed,
  lane: BedLane,
  outcome: { readonly asBefore: boolean; readonly before: LaneLook },
): string[] {
  const claw = join(lane.realHome, '.clawback');
  const below = (folder: string): string[] =>
    existsSync(join(claw, folder)) ? readdirSync(join(claw, folder)).map((name) => `${folder}/${name}`) : [];
  const journal = below('journal').filter((name) => name.endsWith('/journal.json') || name.endsWith('.part'));
  const kept = outcome.asBefore ? keptBy(bed, lane).filter((name) => !outcome.before.kept.includes(name)) : [];
  return [...below('run'), ...below('stage'), ...journal, ...kept];
}
