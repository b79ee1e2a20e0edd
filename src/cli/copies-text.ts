// Where a lane's bundles are, in words, and what of it wants a human's eyes. Pure.

import { formatDuration, plural } from './format.ts';
import type { StoreHolds, Whereabouts } from './whereabouts.ts';

/** A copy of 120 GB at the 40 MB/s of a good link takes less: a bundle that has none by then is told. */
const copyDueMs = 3_600_000;

export function copiesRows(copies: Whereabouts | null): string[][] {
  if (copies === null) return [];
  return copies.stores.map((one) => ['copies', `${one.store} (${one.region}): ${holdsText(one, copies)}`]);
}

function holdsText(one: Whereabouts['stores'][number], { stores, lagMs }: Whereabouts): string {
  if ('code' in one) return `unknown: ${one.message}`;
  const { bundles, newest, onlyHere } = one;
  return [
    plural(bundles, 'bundle'),
    ...(newest === null ? [] : [`the newest ${newest}`]),
    ...(onlyHere ? [`${onlyHere} only here`] : []),
    ...(one === stores[1] && lagMs ? [`${formatDuration(lagMs)} behind`] : []),
  ].join(', ');
}

export function copiesConcerns(lane: string, copies: Whereabouts | null): string[] {
  if (copies === null) return [];
  const silent = copies.stores.flatMap((one) => ('code' in one ? [`${lane}: ${one.store}: ${one.message}`] : []));
  const [near, far] = copies.stores as readonly [StoreHolds, StoreHolds];
  if (silent.length > 0 || copies.uncopiedMs === null || copies.uncopiedMs <= copyDueMs) return silent;
  const { newest, store, onlyHere } = near;
  return [
    `${lane}: bundle ${newest}, begun ${formatDuration(copies.uncopiedMs)} ago, is only in ${store} (${onlyHere} in all), the replica ${far.store} lacks it: ./clawback replicate ${lane}`,
  ];
}
