// Which planned segments the store already has: same fingerprint in one of the newest good manifests (a
// weekly tier B finds its class 2 behind six tier As), object still there with the recorded size, and
// not found bad by the last verification. Nothing is opened. What
// only tombstoned bundles name may be gone before the backup ends, and is not reused.

import { indexesPrefix, segmentsPrefix } from '../../bundle/object-keys.ts';
import type { ManifestSegment } from '../../bundle/manifest.ts';
import type { Predecessor, ReusableSegment } from '../../contract/step-types.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { limits } from '../../domain/limits.ts';
import { components } from '../../domain/terms.ts';
import type { Deps } from '../deps.ts';
import { listBundles } from '../manifests.ts';
import { activity } from '../step.ts';
import { isStored, storedSizes } from '../stored-sizes.ts';
import { type Checked, liveManifests } from '../tombstones.ts';
import { newestRecord } from '../verify/records.ts';

export function findReusableStep(deps: Deps): VaultSteps['findReusable'] {
  return activity(async ({ fleet, lane, store, fingerprints }, { signal }) => {
    const present = await storedSizes(deps.store(store), [segmentsPrefix(lane), indexesPrefix(lane)], signal);
    const bad = new Set((await newestRecord(deps, { fleet, lane, store }, signal))?.bad);
    const wanted = new Set(fingerprints);
    const segments: ReusableSegment[] = [];
    let predecessor: Predecessor | null = null;
    const request = { fleet, lane, store, signal };
    const newest = (await listBundles(deps, request)).slice(0, limits.manifestsSearched);
    for await (const good of liveManifests(deps, request, newest)) {
      predecessor ??= predecessorOf(good);
      for (const segment of good.manifest.segments) {
        if (!segment.reusable || !wanted.has(segment.fingerprint)) continue;
        if (bad.has(segment.suffix) || !isStored(segment, lane, present)) continue;
        wanted.delete(segment.fingerprint);
        segments.push(toReusable(segment));
      }
      if (wanted.size === 0) break;
    }
    return { predecessor, segments };
  });
}

function toReusable({
  fingerprint,
  suffix,
  sealedBytes,
  sealedSha256,
  versionId,
  plainBytes,
  members,
  index,
}: ManifestSegment): ReusableSegment {
  const version = versionId === undefined ? {} : { versionId };
  return { fingerprint, suffix, sealedBytes, sealedSha256, ...version, plainBytes, members, index: indexOf(index) };
}

function indexOf({ versionId, ...rest }: ManifestSegment['index']): ReusableSegment['index'] {
  return versionId === undefined ? rest : { ...rest, versionId };
}

function predecessorOf({ manifest, sha256 }: Checked): Predecessor {
  const sizes = components.map((component) => ({
    component,
    plainBytes: manifest.segments
      .filter((segment) => segment.component === component)
      .reduce((sum, { plainBytes }) => sum + plainBytes, 0),
  }));
  return { bundle: manifest.bundle, sha256, sizes: sizes.filter(({ plainBytes }) => plainBytes > 0) };
}
