// What `regions` of fleet.yaml must fit: hosts and stores give their regions by the same names. And where nobody could tell
// that hosts are lost.

import type { Fleet } from './fleet.ts';
import type { FleetRemark } from './fleet-rules.ts';

/**
 * A control address of a region where nothing stands is a slip of the pen: the region that was meant has none then.
 * @param entries hosts and stores; undefined where one is not well-formed, and then nothing is said
 */
export function regionErrors(
  regions: unknown,
  entries: readonly ({ readonly region: string } | undefined)[],
): FleetRemark[] {
  const known = entries.filter((entry) => entry !== undefined);
  if (typeof regions !== 'object' || regions === null || known.length < entries.length) return [];
  const used = new Set(known.map(({ region }) => region));
  return Object.keys(regions)
    .filter((region) => !used.has(region))
    .map((region) => ({
      path: ['regions', region],
      message: `no host and no store is in a region ${region} (regions: ${[...used].join(', ') || 'none'})`,
    }));
}

/**
 * Regions of which no loss would ever be seen: while all their hosts are silent nobody shows that it is not the worker's own
 * network. A folder shows nothing, for it is on this side.
 */
export function unwatchedRegions({ hosts, lanes, stores, regions }: Fleet): FleetRemark[] {
  const used = new Set(Object.values(lanes).flatMap(({ host }) => hosts[host]?.region ?? []));
  const named = Object.values(regions).some(({ control }) => control !== undefined);
  const hasStore = !named && Object.values(stores).some(({ kind }) => kind === 's3');
  return [...used]
    .filter((region) => regions[region]?.control === undefined && !hasStore)
    .filter((region) => Object.values(hosts).every((host) => host.region === region))
    .map((region) => ({
      path: ['hosts'],
      message: `when all hosts of ${region} are silent, nobody tells a loss from the worker's own network, and no incident opens: name \`regions.${region}.control\`, a machine elsewhere that accepts TCP connections`,
    }));
}
