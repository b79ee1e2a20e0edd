// Removes from a store what no manifest of the lane names and what unfinished uploads left (expire/unnamed.ts). Copies
// enter no section, so that one may be writing into the replica: what the primary's manifests name stays there whatever
// its age, and uploads stay for as long as no copy takes, whatever age is asked for.

import { indexesPrefix, segmentsPrefix } from '../bundle/object-keys.ts';
import type { VaultSteps } from '../contract/steps.ts';
import { limits } from '../domain/limits.ts';
import type { Deps } from './deps.ts';
import { storeTime } from './expire/clocks.ts';
import { removeUnnamed } from './expire/unnamed.ts';
import { objectsOf } from './bundle-objects.ts';
import { activity } from './step.ts';
import { isStored, storedSizes } from './stored-sizes.ts';
import { type LaneRequest, readBundles } from './tombstones.ts';

export function sweepLaneStep(deps: Deps): VaultSteps['sweepLane'] {
  return activity(async ({ fleet, lane, store: name, primary, minAgeMs }, run) => {
    const { signal } = run;
    const request = { fleet, lane, store: name, signal };
    const store = deps.store(name);
    const storeMs = await storeTime(store, lane, run);
    const bundles = await readBundles(deps, request);
    if (primary !== undefined) bundles.push(...(await readBundles(deps, { ...request, store: primary })));
    const named = new Set(bundles.flatMap(({ manifest }) => objectsOf(manifest).map(({ key }) => key)));
    const swept = await removeUnnamed(store, { lane, named, olderThanMs: storeMs - minAgeMs, signal });
    const damaged = minAgeMs > limits.longestBackupMs + limits.clockOffsetMs ? [] : await damagedBundles(deps, request);
    const uploadAgeMs = primary === undefined ? minAgeMs : Math.max(minAgeMs, limits.sweepMinAgeMs);
    return { ...swept, staleUploads: await store.sweepUploads(lane, uploadAgeMs), damaged };
  });
}

/**
 * A worker that was thought dead may commit while a sweep removes what it names; one that commits later sees it itself
 * (backup/commit-manifest.ts). What is older than the longest backup is named by no commit to come.
 */
async function damagedBundles(deps: Deps, request: LaneRequest): Promise<string[]> {
  const { lane, store, signal } = request;
  const bundles = await readBundles(deps, request);
  const sizes = await storedSizes(deps.store(store), [segmentsPrefix(lane), indexesPrefix(lane)], signal);
  return bundles
    .filter(({ burial }) => burial === undefined || burial instanceof Error)
    .filter(({ manifest }) => !manifest.segments.every((segment) => isStored(segment, lane, sizes)))
    .map(({ manifest }) => manifest.bundle)
    .slice(0, limits.verdictsShown);
}
