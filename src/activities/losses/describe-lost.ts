// What the fleet file says of hosts that were lost, and of what comes in their stead.

import type { HostFacts } from '../../contract/losses.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import type { Deps, FleetView } from '../deps.ts';
import { requireDigest } from '../host/lanes.ts';
import { activity } from '../step.ts';

export function describeHostStep({ fleet }: Deps): VaultSteps['describeHost'] {
  return activity(async ({ fleetDigest, host }) => {
    requireDigest(fleet, fleetDigest, { host });
    return factsOf(fleet, host);
  });
}

export function describeLostStep({ fleet }: Deps): VaultSteps['describeLost'] {
  return activity(async ({ fleetDigest, hosts, lostRegion }) => {
    requireDigest(fleet, fleetDigest, { fleet: fleet.name });
    return hosts.map((host) => {
      const facts = factsOf(fleet, host);
      return { ...facts, newName: newNameOf(fleet, host), newRegion: newRegionOf(fleet, facts, lostRegion) };
    });
  });
}

/** @throws UnknownHost */
export function factsOf(fleet: FleetView, host: string): HostFacts {
  const facts = fleet.hostFacts(host);
  if (facts !== undefined) return facts;
  const message = `fleet ${fleet.name} has no host ${host.slice(0, 80)} (hosts: ${fleet.hosts.join(', ') || 'none'})`;
  throw new Failure('UnknownHost', message, { fleet: fleet.name });
}

/** Names have 40 characters at most. */
function newNameOf(fleet: FleetView, host: string): string {
  for (let number = 1; ; number += 1) {
    const name = `${host.slice(0, 32).replace(/-+$/, '')}-new${number === 1 ? '' : number}`;
    if (!fleet.hosts.includes(name)) return name;
  }
}

function newRegionOf(fleet: FleetView, { region, lanes }: HostFacts, lostRegion: string | undefined): string {
  if (lostRegion === undefined) return region;
  const stores = lanes.flatMap(({ lane }) => {
    const { store, replica = store } = fleet.laneSpec(lane);
    return [fleet.storeRegion(store), fleet.storeRegion(replica)];
  });
  return stores.find((one) => one !== undefined && one !== lostRegion) ?? region;
}
