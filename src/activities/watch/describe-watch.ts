import type { HostSteps } from '../../contract/steps.ts';
import type { Deps } from '../deps.ts';
import { placedSpecs } from '../host/placed.ts';
import { activity } from '../step.ts';

/** Hosts by the fleet file, and any that a recovery brought, with the lanes that are on them now. */
export function describeWatchStep(deps: Deps): HostSteps['describeWatch'] {
  const describe = activity(async (_: undefined) => {
    const { name, digest, lanes, watched } = deps.fleet;
    const hosts = new Map(watched.hosts.map(({ host, region }) => [host, { host, region, lanes: [] as string[] }]));
    for (const { lane, region, target } of await placedSpecs(deps, lanes)) {
      const host = target.host.name;
      const entry = hosts.get(host) ?? { host, region, lanes: [] };
      hosts.set(host, { ...entry, lanes: [...entry.lanes, lane] });
    }
    return {
      fleet: name,
      fleetDigest: digest,
      rules: watched.rules,
      hosts: [...hosts.values()],
      controls: watched.controls.map(({ region }) => region),
      stores: watched.stores.map(({ region }) => region),
    };
  });
  return () => describe(undefined);
}
