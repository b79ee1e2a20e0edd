// The disaster "total host loss": a host that stops answering. It hangs, and its gateway runs on: what the incident sees is
// the same for a Mac without power and for one that is cut off, and so the fence has something to power off.

import { startBackup } from '../../src/client/start.ts';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { editFleet } from '../e2e/kit.ts';
import { pictureDifferences, pictureOf, type LanePicture } from '../rig/lane-picture.ts';
import type { Rig } from '../rig/rig.ts';
import { gatewayPids } from '../rig/wreck.ts';
import { laneOn, startFence, withoutOwners } from './losing.ts';
import type { Cause } from './rehearsal.ts';

const [lost, standby] = ['mac-1', 'mac-2'];

const good = new WeakMap<Rig, LanePicture>();

function laneOf({ bed }: Rig): BedLane {
  return bed.lanes[0] as BedLane;
}

async function prepare(rig: Rig): Promise<() => Promise<void>> {
  const { hook, stop } = await startFence(rig);
  editFleet(rig, (fleet) => {
    Object.assign(fleet.hosts[standby] ?? {}, { standby: true });
    Object.assign(fleet, { hooks: { fence: hook }, signals: { host: { silent: '2s' } } });
  });
  return stop;
}

async function check(rig: Rig, { outcome, plan }: IncidentState): Promise<string[]> {
  const moved = laneOn(rig, laneOf(rig), standby);
  const before = good.get(rig);
  const faults: readonly (readonly [string, boolean])[] = [
    [`it is not on ${standby}`, plan?.lanes[0]?.toHost !== standby],
    ['its host was not fenced by the hook', !outcome?.remarks.includes(`${lost} is fenced: power-off`)],
    [`${gatewayPids(moved).length} gateways run`, gatewayPids(moved).length !== 1],
  ];
  const changed = before ? pictureDifferences(before, pictureOf(moved)) : ['nothing was saved'];
  return [...faults.filter(([, is]) => is).map(([what]) => what), ...changed.filter(withoutOwners)];
}

export const hostLoss: Cause = {
  scenario: 'host-loss',
  subject: lost,
  bed: {
    kind: bestBedKind(),
    hosts: [
      { name: lost, lanes: 1 },
      { name: standby, lanes: 0, recruits: [1] },
    ],
    dataBytes: 1e6,
  },
  prepare,
  before: async (rig) => {
    await (await startBackup(rig.client, { lane: laneOf(rig).lane, tier: 'B', waitMs: 0 })).result();
    good.set(rig, pictureOf(laneOf(rig)));
  },
  strike: async (rig) => rig.bed.host(lost).pauseSshd(),
  check,
};
