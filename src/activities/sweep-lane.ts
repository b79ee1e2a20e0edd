// Removes from the store what no manifest of the lane names and what unfinished uploads left (expire/unnamed.ts).

import type { VaultSteps } from '../contract/steps.ts';
import type { Deps } from './deps.ts';
import { storeTime } from './expire/clocks.ts';
import { removeUnnamed } from './expire/unnamed.ts';
import { objectsOf } from './bundle-objects.ts';
import { activity } from './step.ts';
import { readBundles } from './tombstones.ts';

export function sweepLaneStep(deps: Deps): VaultSteps['sweepLane'] {
  return activity(async ({ fleet, lane, store: name, minAgeMs }, run) => {
    const { signal } = run;
    const store = deps.store(name);
    const storeMs = await storeTime(store, lane, run);
    const bundles = await readBundles(deps, { fleet, lane, store: name, signal });
    const named = new Set(bundles.flatMap(({ manifest }) => objectsOf(manifest).map(({ key }) => key)));
    const swept = await removeUnnamed(store, { lane, named, olderThanMs: storeMs - minAgeMs, signal });
    return { ...swept, staleUploads: await store.sweepUploads(lane, minAgeMs) };
  });
}
