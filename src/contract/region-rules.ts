// What `regions` of fleet.yaml must fit: hosts and stores give their regions by the same names.

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
