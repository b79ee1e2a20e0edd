// The disaster "bad upgrade": OpenClaw is replaced by a version that cannot read its configuration, and its gateway exits
// in a loop, in which launchd starts it again and again.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBackup } from '../../src/client/start.ts';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { editFleet } from '../e2e/kit.ts';
import { type LanePicture, pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import type { Rig } from '../rig/rig.ts';
import { gatewayPids, killGateway } from '../rig/wreck.ts';
import { type Checks, whatIsSo } from './checks.ts';
import type { Cause } from './rehearsal.ts';

const lane = 'lane-1';
const badVersion = '2025.12.9';

/** Of each rig, how its lane was when it was backed up. */
const good = new WeakMap<Rig, { readonly picture: LanePicture; readonly version: string }>();

function laneOf(rig: Rig): BedLane {
  return rig.bed.lanes[0] as BedLane;
}

function pathsOf({ realHome }: BedLane): { readonly version: string; readonly config: string } {
  const state = join(realHome, '.openclaw');
  return { version: join(state, 'version'), config: join(state, 'config/openclaw.json') };
}

/** Written through, so that the owner stays. */
function install(target: BedLane, version: string): void {
  writeFileSync(pathsOf(target).version, `${version}\n`);
}

/** The pin hook installs on the bed's disk what an operator's would over SSH. */
async function addPinHook(rig: Rig): Promise<() => Promise<void>> {
  const path = join(rig.dir, 'pin.sh');
  const version = `sed -n 's/.*"version":"\\([^"]*\\)".*/\\1/p'`;
  writeFileSync(path, `#!/bin/sh\n${version} >'${pathsOf(laneOf(rig)).version}'\n`, { mode: 0o755 });
  editFleet(rig, (fleet) => void Object.assign(fleet, { hooks: { pin: { command: [path] } } }));
  return async () => undefined;
}

/** Three gateways that came and went. */
async function untilLoop(target: BedLane): Promise<void> {
  const seen = new Set<number>();
  for (let tries = 0; seen.size < 3; tries += 1) {
    if (tries > 1_200) throw new Error('launchd does not start it again');
    for (const pid of gatewayPids(target)) seen.add(pid);
    await sleep(25);
  }
}

async function check(rig: Rig, { plan, outcome }: IncidentState): Promise<string[]> {
  const target = laneOf(rig);
  const before = good.get(rig);
  const version = readFileSync(pathsOf(target).version, 'utf8').trim();
  const faults: Checks = [
    [`OpenClaw is ${version}, it was ${before?.version}`, version !== before?.version],
    ['the version pin was not planned', plan?.steps.every(({ step }) => step !== 'pin') ?? true],
    ['it was not enough', outcome?.escalation !== null],
    ['not one gateway runs', gatewayPids(target).length !== 1],
  ];
  const changed = before ? pictureDifferences(before.picture, pictureOf(target)) : ['nothing was saved'];
  return [...whatIsSo(faults), ...changed];
}

export const badUpgrade: Cause = {
  scenario: 'bad-upgrade',
  subject: lane,
  bed: {
    kind: bestBedKind() === 'in-process' ? 'in-process' : 'sshd',
    hosts: [{ name: 'mac-1', lanes: 1 }],
    dataBytes: 1e6,
  },
  prepare: addPinHook,
  before: async (rig) => {
    const target = laneOf(rig);
    await (await startBackup(rig.client, { lane, tier: 'B', waitMs: 0 })).result();
    const version = readFileSync(pathsOf(target).version, 'utf8').trim();
    good.set(rig, { picture: pictureOf(target), version });
  },
  strike: async (rig) => {
    const target = laneOf(rig);
    install(target, badVersion);
    execFileSync('truncate', ['-s', '1', pathsOf(target).config]);
    killGateway(target);
    await untilLoop(target);
  },
  check,
};
