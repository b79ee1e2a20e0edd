// The disaster "total host loss": a host that stops answering. It hangs, and its gateway runs on: what the incident sees is
// the same for a Mac without power and for one that is cut off, and so the fence has something to power off.

import type { IncidentState } from '../../src/contract/incident-state.ts';
import { bestBedKind } from '../bed/bed.ts';
import { editFleet } from '../e2e/kit.ts';
import type { Rig } from '../rig/rig.ts';
import { gatewayPids } from '../rig/wreck.ts';
import { changedSince, goodDay, laneOf, laneOn, startFence } from './losing.ts';
import { type Checks, whatIsSo } from './checks.ts';
import type { Cause } from './rehearsal.ts';

const [lost, standby] = ['mac-1', 'mac-2'];

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
  const faults: Checks = [
    [`it is not on ${standby}`, plan?.lanes[0]?.toHost !== standby],
    ['its host was not fenced by the hook', !outcome?.remarks.includes(`${lost} is fenced: power-off`)],
    [`${gatewayPids(moved).length} gateways run`, gatewayPids(moved).length !== 1],
  ];
  return [...whatIsSo(faults), ...changedSince(rig, moved)];
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
  before: goodDay,
  strike: async (rig) => rig.bed.host(lost).pauseSshd(),
  check,
};
