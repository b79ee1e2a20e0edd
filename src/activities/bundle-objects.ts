// The objects that a manifest names, one by one: what is copied, looked for and verified.

import type { Manifest } from '../bundle/manifest.ts';
import { indexKey, segmentKey } from '../bundle/object-keys.ts';
import type { SealedExpectation } from '../bundle/pipelines.ts';
import type { ObjectFault } from '../contract/results.ts';

export interface BundleObject {
  readonly key: string;
  readonly expected: SealedExpectation;
  readonly segment: string;
  /** What a fault of it is told with. */
  readonly about: Omit<ObjectFault, 'what' | 'store'>;
}

/** Segments and their indexes, the manifest itself not among them. */
export function objectsOf({ bundle, lane, segments }: Manifest): BundleObject[] {
  return segments.flatMap(({ id, component, fingerprint, suffix, sealedBytes, sealedSha256, index }) => [
    {
      key: segmentKey(lane, fingerprint, suffix),
      expected: { sizeBytes: sealedBytes, sha256: sealedSha256 },
      segment: id,
      about: { bundle, segment: id, component, object: 'segment' },
    },
    {
      key: indexKey(lane, fingerprint, index.suffix),
      expected: { sizeBytes: index.sealedBytes, sha256: index.sealedSha256 },
      segment: id,
      about: { bundle, segment: id, component, object: 'index' },
    },
  ]);
}
