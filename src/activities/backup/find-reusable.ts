// Which planned segments the store already has: same fingerprint in the newest good manifest, object still
// there with the recorded size. Nothing is opened.

import { indexKey, indexesPrefix, segmentKey, segmentsPrefix } from '../../bundle/object-keys.ts';
import type { Manifest, ManifestSegment } from '../../bundle/manifest.ts';
import type { Predecessor, ReusableSegment } from '../../contract/step-types.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { isFailure } from '../../domain/failure.ts';
import { components } from '../../domain/terms.ts';
import type { Deps } from '../deps.ts';
import { listBundles, readManifest } from '../manifests.ts';
import { activity } from '../step.ts';
import { storedSizes } from '../stored-sizes.ts';

export function findReusableStep(deps: Deps): VaultSteps['findReusable'] {
  return activity(async ({ fleet, lane, store, fingerprints }, { signal }) => {
    const newest = await newestGood(deps, { fleet, lane, store, signal });
    if (!newest) return { predecessor: null, segments: [] };
    const present = await storedSizes(deps.store(store), [segmentsPrefix(lane), indexesPrefix(lane)], signal);
    const wanted = new Set(fingerprints);
    const segments = newest.manifest.segments
      .filter((segment) => segment.reusable && wanted.has(segment.fingerprint) && isStored(segment, lane, present))
      .map(toReusable);
    return { predecessor: predecessorOf(newest), segments };
  });
}

/** The newest manifest that passes its checks; one that does not is no base for anything. */
async function newestGood(
  deps: Deps,
  request: { fleet: string; lane: string; store: string; signal: AbortSignal },
): Promise<{ manifest: Manifest; sha256: string } | undefined> {
  for (const bundle of await listBundles(deps, request)) {
    try {
      return await readManifest(deps, { ...request, bundle });
    } catch (error) {
      const unusable = (['BundleDamaged', 'BundleSignatureBad', 'BundleFormatUnknown', 'BundleForeign'] as const).some(
        (code) => isFailure(error, code),
      );
      if (!unusable) throw error;
    }
  }
  return undefined;
}

function isStored(segment: ManifestSegment, lane: string, sizes: ReadonlyMap<string, number>): boolean {
  const { fingerprint, suffix, sealedBytes, index } = segment;
  return (
    sizes.get(segmentKey(lane, fingerprint, suffix)) === sealedBytes &&
    sizes.get(indexKey(lane, fingerprint, index.suffix)) === index.sealedBytes
  );
}

function toReusable({
  fingerprint,
  suffix,
  sealedBytes,
  sealedSha256,
  plainBytes,
  members,
  index,
}: ManifestSegment): ReusableSegment {
  return { fingerprint, suffix, sealedBytes, sealedSha256, plainBytes, members, index };
}

function predecessorOf({ manifest, sha256 }: { manifest: Manifest; sha256: string }): Predecessor {
  const sizes = components.map((component) => ({
    component,
    plainBytes: manifest.segments
      .filter((segment) => segment.component === component)
      .reduce((sum, { plainBytes }) => sum + plainBytes, 0),
  }));
  return { bundle: manifest.bundle, sha256, sizes: sizes.filter(({ plainBytes }) => plainBytes > 0) };
}
