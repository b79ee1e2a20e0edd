// The disaster "lane cross-write": two agents of one host have written over each other's configuration, and left files in
// each other's workspace. Where users are real, the files belong to the other lane's.

import { chownSync, cpSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackup } from '../../src/client/start.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { editFleet } from '../e2e/kit.ts';
import type { Rig } from '../rig/rig.ts';
import { gatewayPids, killGateway } from '../rig/wreck.ts';
import { type Checks, whatIsSo } from './checks.ts';
import type { Cause } from './rehearsal.ts';

const host = 'mac-1';

/** Each lane with the other one. */
function pairs({ bed }: Rig): readonly (readonly [BedLane, BedLane])[] {
  const [one, other] = bed.lanes as [BedLane, BedLane];
  return [
    [one, other],
    [other, one],
  ];
}

/** Signals that a rehearsal can wait for; its gateways exit, but that is not what is rehearsed. */
export function quickSignals(rig: Rig): void {
  const signals = { exitLoop: { restarts: 20 }, crossWrite: { silent: '2s', files: '1s' }, clear: '1s', again: '1s' };
  editFleet(rig, (fleet) => void Object.assign(fleet, { signals }));
}

function strayOf([lane, writer]: readonly [BedLane, BedLane]): string {
  return join(lane.realHome, 'workspace', `${writer.user}.txt`);
}

export function mix(rig: Rig): void {
  for (const pair of pairs(rig)) {
    const [lane, writer] = pair;
    const config = join(lane.realHome, '.openclaw/config/openclaw.json');
    writeFileSync(config, '{');
    cpSync(config, strayOf(pair));
    const { uid, gid } = statSync(writer.realHome);
    for (const file of process.getuid?.() === 0 ? [config, strayOf(pair)] : []) chownSync(file, uid, gid);
    killGateway(lane);
  }
}

/** What is still mixed, or does not run, a line each. */
export function mixedNow(rig: Rig): string[] {
  return pairs(rig).flatMap((pair) => {
    const [lane] = pair;
    const faults: Checks = [
      [`${lane.lane} still has a file that is named for the other`, existsSync(strayOf(pair))],
      [`${lane.lane} has ${gatewayPids(lane).length} gateways`, gatewayPids(lane).length !== 1],
      [`${lane.lane} is still held`, existsSync(join(lane.realHome, '.clawback/held.json'))],
      [`${lane.lane} has a foreign configuration`, ownersOf(lane).some((uid) => uid !== statSync(lane.realHome).uid)],
    ];
    return whatIsSo(faults);
  });
}

function ownersOf({ realHome }: BedLane): number[] {
  const folder = join(realHome, '.openclaw/config');
  return readdirSync(folder).map((name) => statSync(join(folder, name)).uid);
}

export const crossWrite: Cause = {
  scenario: 'cross-write',
  subject: host,
  bed: { kind: bestBedKind(), hosts: [{ name: host, lanes: 2 }], dataBytes: 1e6 },
  prepare: async (rig) => {
    quickSignals(rig);
    return async () => undefined;
  },
  before: async (rig) => {
    for (const { lane } of rig.bed.lanes)
      await (await startBackup(rig.client, { lane, tier: 'C', waitMs: 0 })).result();
  },
  strike: async (rig) => mix(rig),
  check: async (rig) => mixedNow(rig),
};
