// Removes from the store what no manifest of the lane names and what unfinished uploads left. A manifest that
// cannot be read stops the sweep: what it names is not known, so nothing may go.

import { indexKey, indexesPrefix, segmentKey, segmentsPrefix } from '../bundle/object-keys.ts';
import type { SweepResult } from '../contract/results.ts';
import type { VaultSteps } from '../contract/steps.ts';
import type { Store, StoredObject } from '../store/store.ts';
import type { Deps } from './deps.ts';
import { listBundles, readManifest } from './manifests.ts';
import { activity } from './step.ts';

export function sweepLaneStep(deps: Deps): VaultSteps['sweepLane'] {
  return activity(async ({ fleet, lane, store: name, minAgeMs }, { signal }) => {
    const store = deps.store(name);
    const named = new Set<string>();
    for (const bundle of await listBundles(deps, { lane, store: name, signal })) {
      const { manifest } = await readManifest(deps, { fleet, lane, store: name, bundle, signal });
      for (const { fingerprint, suffix, index } of manifest.segments) {
        named.add(segmentKey(lane, fingerprint, suffix)).add(indexKey(lane, fingerprint, index.suffix));
      }
    }
    const swept = await removeUnnamed(store, [segmentsPrefix(lane), indexesPrefix(lane)], {
      named,
      olderThanMs: Date.now() - minAgeMs,
      signal,
    });
    return { ...swept, staleUploads: await store.sweepUploads(lane, minAgeMs) };
  });
}

interface Rule {
  readonly named: ReadonlySet<string>;
  readonly olderThanMs: number;
  readonly signal: AbortSignal;
}

async function removeUnnamed(
  store: Store,
  prefixes: readonly string[],
  rule: Rule,
): Promise<Omit<SweepResult, 'staleUploads'>> {
  const unnamed: StoredObject[] = [];
  let keptObjects = 0;
  for (const prefix of prefixes) {
    for await (const object of store.list(prefix, { signal: rule.signal })) {
      if (!rule.named.has(object.key) && object.modifiedAtMs <= rule.olderThanMs) unnamed.push(object);
      else keptObjects += 1;
    }
  }
  for (const { key } of unnamed) await store.delete(key);
  return {
    removedObjects: unnamed.length,
    removedBytes: unnamed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    keptObjects,
  };
}
