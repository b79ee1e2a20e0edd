// What the replica of a store lacks. An object that one of the replica's own manifests names was checked when it came
// there: its size, by the listing, is enough. Any other one (left by a run that died, or by somebody else) is read and
// hashed before it counts; so are all of a bundle that is copied again.

import { indexesPrefix, segmentsPrefix } from '../../bundle/object-keys.ts';
import type { ObjectFault } from '../../contract/results.ts';
import type { BundleCopy, CopyBatch } from '../../contract/copies.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { limits } from '../../domain/limits.ts';
import { type BundleObject, objectsOf } from '../bundle-objects.ts';
import type { Deps } from '../deps.ts';
import { goodManifests, listBundles, readManifest } from '../manifests.ts';
import { activity } from '../step.ts';
import { storedSizes } from '../stored-sizes.ts';
import { liveManifests } from '../tombstones.ts';

export function listUncopiedStep(deps: Deps): VaultSteps['listUncopied'] {
  return activity(async ({ fleet, lane, from, to }, { signal }) => {
    const copied = new Set(await listBundles(deps, { lane, store: to, signal }));
    const uncopied = (await listBundles(deps, { lane, store: from, signal })).filter((bundle) => !copied.has(bundle));
    const expired = new Set(uncopied);
    const wanted = (bundle: string): boolean => expired.delete(bundle);
    const request = { fleet, lane, store: from, signal };
    for await (const { manifest } of liveManifests(deps, request, uncopied, wanted)) wanted(manifest.bundle);
    return uncopied.filter((bundle) => !expired.has(bundle));
  });
}

export function planReplicaStep(deps: Deps): VaultSteps['planReplica'] {
  return activity(async (copy, { signal }) => {
    const { lane, from, to } = copy;
    const { manifest } = await readManifest(deps, { ...copy, store: from, signal });
    const sizes = await storedSizes(deps.store(to), [segmentsPrefix(lane), indexesPrefix(lane)], signal);
    const trusted = await trustedKeys(deps, copy, signal);
    const objects = objectsOf(manifest);
    const isWrong = ({ key, expected }: BundleObject): boolean =>
      sizes.has(key) && sizes.get(key) !== expected.sizeBytes;
    const isPresent = ({ key }: BundleObject): boolean => sizes.has(key) && trusted.has(key);
    const open = objects.filter((object) => !isWrong(object) && !isPresent(object));
    return {
      batches: batchesOf(open),
      presentObjects: objects.filter((object) => !isWrong(object) && isPresent(object)).length,
      faults: objects.filter(isWrong).map(({ about }): ObjectFault => ({ ...about, what: 'damaged', store: to })),
    };
  });
}

async function trustedKeys(
  deps: Deps,
  { fleet, lane, to, bundle }: BundleCopy,
  signal: AbortSignal,
): Promise<Set<string>> {
  const keys = new Set<string>();
  const request = { fleet, lane, store: to, signal };
  const there = await listBundles(deps, request);
  if (there.includes(bundle)) return keys;
  for await (const { manifest } of goodManifests(deps, request, there.slice(0, limits.manifestsSearched)))
    for (const { key } of objectsOf(manifest)) keys.add(key);
  return keys;
}

/** In the manifest's order, each small enough for one step. */
function batchesOf(objects: readonly BundleObject[]): CopyBatch[] {
  const batches: { segments: string[]; sealedBytes: number }[] = [];
  for (const { segment, expected } of objects) {
    const last = batches.at(-1);
    const isNext = last?.segments.at(-1) !== segment;
    const fits =
      last !== undefined &&
      last.sealedBytes + expected.sizeBytes <= limits.copyBatchBytes &&
      last.segments.length < limits.copyBatchSegments;
    if (last === undefined || (isNext && !fits)) batches.push({ segments: [segment], sealedBytes: expected.sizeBytes });
    else {
      if (isNext) last.segments.push(segment);
      last.sealedBytes += expected.sizeBytes;
    }
  }
  return batches;
}
