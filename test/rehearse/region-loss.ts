// The disaster "region or network loss": a host and its region's store are gone. Both hosts of the region stop answering,
// and what their lane comes back from is the replica elsewhere.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { markDirectory } from '../../src/store/directory-marker.ts';
import { bestBedKind } from '../bed/bed.ts';
import { editFleet } from '../e2e/kit.ts';
import type { Rig } from '../rig/rig.ts';
import { gatewayPids } from '../rig/wreck.ts';
import { changedSince, goodDay, laneOf, laneOn, startFence } from './losing.ts';
import { type Checks, whatIsSo } from './checks.ts';
import type { Cause } from './rehearsal.ts';

const region = 'tokyo';
const standby = 'mac-3';

const folderOf = ({ dir }: Rig): string => join(dir, region);

/** Two hosts in the region, one of them with a lane; a standby and the replica elsewhere. */
async function prepare(rig: Rig): Promise<() => Promise<void>> {
  const far = join(rig.dir, 'far');
  await Promise.all([markDirectory(region, folderOf(rig)), markDirectory('far', far)]);
  const { hook, stop } = await startFence(rig);
  const { address, port } = rig.bed.host(standby);
  editFleet(rig, (fleet) => {
    for (const name of ['mac-1', 'mac-2']) Object.assign(fleet.hosts[name] ?? {}, { region });
    for (const name of ['mac-2', standby]) Object.assign(fleet.hosts[name] ?? {}, { standby: true });
    fleet.stores[region] = { kind: 'directory', path: folderOf(rig), region };
    fleet.stores['far'] = { kind: 'directory', path: far, region: 'hk', replicaOf: region };
    Object.assign(fleet.lanes[laneOf(rig).lane] ?? {}, { store: region });
    const signals = { region: { silent: '2s' } };
    Object.assign(fleet, { hooks: { fence: hook }, signals, regions: { [region]: { control: { address, port } } } });
  });
  return stop;
}

async function check(rig: Rig, { plan }: IncidentState): Promise<string[]> {
  const moved = laneOn(rig, laneOf(rig), standby);
  const [planned] = plan?.lanes ?? [];
  const faults: Checks = [
    [`it went to ${planned?.toHost}`, planned?.toHost !== standby],
    [`it came from ${planned?.store}`, planned?.store !== 'far'],
    [`${gatewayPids(moved).length} gateways run`, gatewayPids(moved).length !== 1],
  ];
  return [...whatIsSo(faults), ...changedSince(rig, moved)];
}

export const regionLoss: Cause = {
  scenario: 'region-loss',
  subject: region,
  bed: {
    kind: bestBedKind(),
    hosts: [
      { name: 'mac-1', lanes: 1 },
      { name: 'mac-2', lanes: 0 },
      { name: standby, lanes: 0, guests: [1] },
    ],
    dataBytes: 1e6,
  },
  prepare,
  before: goodDay,
  strike: async (rig) => {
    for (const name of ['mac-1', 'mac-2']) rig.bed.host(name).pauseSshd();
    rmSync(folderOf(rig), { recursive: true });
  },
  check,
};
