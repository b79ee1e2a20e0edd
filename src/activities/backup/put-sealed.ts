// Seals a stream and puts it into the store under a key of its own. Every attempt takes a new random part: a
// put whose answer was lost is abandoned, never adopted, for sealing is randomised.

import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { indexKey, segmentKey } from '../../bundle/object-keys.ts';
import { sealPipeline } from '../../bundle/pipelines.ts';
import type { SealedObject } from '../../contract/results.ts';
import { limits } from '../../domain/limits.ts';
import type { Deps } from '../deps.ts';

export interface SealTarget {
  readonly fleet: string;
  readonly lane: string;
  readonly store: string;
  readonly fingerprint: string;
  readonly signal: AbortSignal;
}

/** The stored object, and how many bytes went in. Throws the source's own failure. */
export async function putSealed(
  deps: Deps,
  target: SealTarget,
  object: 'segment' | 'index',
  source: Readable,
): Promise<{ stored: SealedObject; plainBytes: number }> {
  const { fleet, lane, store, fingerprint, signal } = target;
  const suffix = randomBytes(8).toString('hex');
  const key = object === 'segment' ? segmentKey(lane, fingerprint, suffix) : indexKey(lane, fingerprint, suffix);
  const { sealed, totals } = sealPipeline(source, await deps.keys.recipients(), { fleet, lane, object, fingerprint });
  const { versionId = '' } = await deps.store(store).put(key, sealed, { signal });
  const { plainBytes, sealedBytes, sealedSha256 } = await totals;
  // a longer one would not go into history: the oldest version of the key is the object all the same
  const version = versionId !== '' && versionId.length <= limits.versionIdBytes ? { versionId } : {};
  return { stored: { suffix, sealedBytes, sealedSha256, ...version }, plainBytes };
}
