// One stored segment, ready to be read: its manifest checked, its index opened, its bytes behind a stream that
// refuses what is not what was written.

import type { Readable } from 'node:stream';
import { decodeIndex, type SegmentIndex } from '../../bundle/index-file.ts';
import type { Manifest, ManifestSegment } from '../../bundle/manifest.ts';
import { indexKey, segmentKey, versionOf } from '../../bundle/object-keys.ts';
import { openPipeline } from '../../bundle/pipelines.ts';
import type { ChosenSegment } from '../../contract/step-types.ts';
import { Failure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import type { Deps } from '../deps.ts';
import { readManifest } from '../manifests.ts';
import { readWhole } from '../read-whole.ts';

export interface StoredRequest {
  readonly fleet: string;
  readonly lane: string;
  readonly store: string;
  readonly segment: Pick<ChosenSegment, 'bundle' | 'id'>;
  readonly signal: AbortSignal;
}

export interface StoredSegment {
  readonly manifest: Manifest;
  readonly entry: ManifestSegment;
  /** The sealed index, opened and parsed. */
  index(): Promise<SegmentIndex>;
  /** The plain bytes: a tar, a range, or the secrets file. Fails with BundleDamaged at its end at the latest. */
  plain(): Promise<Readable>;
}

/** ObjectMissing, BundleSignatureBad, BundleForeign, BundleDamaged. Reads the manifest only; may be called again. */
export async function openStored(deps: Deps, request: StoredRequest): Promise<StoredSegment> {
  const { manifest } = await readManifest(deps, { ...request, bundle: request.segment.bundle });
  return storedOf(deps, request, manifest);
}

/** As {@link openStored}, of a manifest that has been checked. */
export function storedOf(deps: Deps, request: StoredRequest, manifest: Manifest): StoredSegment {
  const { fleet, lane, segment, signal } = request;
  const store = deps.store(request.store);
  const entry = manifest.segments.find(({ id }) => id === segment.id);
  if (!entry)
    throw new Failure('BundleDamaged', `bundle ${segment.bundle} has no segment ${segment.id}`, {
      bundle: segment.bundle,
      segment: segment.id,
    });
  const context = { fleet, lane, fingerprint: entry.fingerprint } as const;
  return {
    manifest,
    entry,
    async index() {
      const sealed = await store.get(indexKey(lane, entry.fingerprint, entry.index.suffix), {
        ...versionOf(entry.index),
        signal,
      });
      const expected = { sizeBytes: entry.index.sealedBytes, sha256: entry.index.sealedSha256 };
      return decodeIndex(
        await readWhole(
          openPipeline(sealed, expected, await deps.keys.opening(), { ...context, object: 'index' }, limits.indexBytes),
        ),
      );
    },
    async plain() {
      const sealed = await store.get(segmentKey(lane, entry.fingerprint, entry.suffix), {
        ...versionOf(entry),
        signal,
      });
      const expected = { sizeBytes: entry.sealedBytes, sha256: entry.sealedSha256 };
      return openPipeline(
        sealed,
        expected,
        await deps.keys.opening(),
        { ...context, object: 'segment' },
        entry.plainBytes,
      );
    },
  };
}
