import type { ManifestSegment } from '../bundle/manifest.ts';
import { indexKey, segmentKey } from '../bundle/object-keys.ts';
import type { Store } from '../store/store.ts';

/** The sizes of all objects below some prefixes, by key. */
export async function storedSizes(
  store: Store,
  prefixes: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const prefix of prefixes) {
    for await (const { key, sizeBytes } of store.list(prefix, { signal })) sizes.set(key, sizeBytes);
  }
  return sizes;
}

/** Are both objects of a segment there, with the recorded sizes? */
export function isStored(segment: ManifestSegment, lane: string, sizes: ReadonlyMap<string, number>): boolean {
  const { fingerprint, suffix, sealedBytes, index } = segment;
  return (
    sizes.get(segmentKey(lane, fingerprint, suffix)) === sealedBytes &&
    sizes.get(indexKey(lane, fingerprint, index.suffix)) === index.sealedBytes
  );
}
