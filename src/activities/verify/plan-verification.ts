// What a verification reads: every segment that the bundles name, once, however many share it; and what shows without
// reading: manifests that fail their check, objects that are gone or of another size, gaps in the chain.

import type { Manifest, ManifestSegment } from '../../bundle/manifest.ts';
import { indexesPrefix, segmentsPrefix } from '../../bundle/object-keys.ts';
import type { ObjectFault } from '../../contract/results.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import type { ChainGap, CompareBatch, VerifyBatch, VerifyRecord, VerifyRequest } from '../../contract/verify.ts';
import { Failure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { objectsOf } from '../bundle-objects.ts';
import type { Deps } from '../deps.ts';
import { type CheckedManifest, goodManifests, listBundles, type ManifestRequest } from '../manifests.ts';
import { activity } from '../step.ts';
import { storedSizes } from '../stored-sizes.ts';
import { burialOf, listTombstones } from '../tombstones.ts';
import { comparableOf, type Named } from './comparable.ts';
import { newestRecord } from './records.ts';
import { dueSegments } from './sample.ts';

export function planVerificationStep(deps: Deps): VaultSteps['planVerification'] {
  return activity(async (request, { signal }) => {
    const { lane, store } = request;
    const listed = await listBundles(deps, { lane, store, signal });
    const wanted = request.bundle === undefined ? listed : listed.filter((bundle) => bundle === request.bundle);
    if (wanted.length === 0) throw nothingToVerify(request);
    const { checked, faults } = await readAll(deps, request, wanted, signal);
    const manifests = checked.map(({ manifest }) => manifest);
    const sizes = await storedSizes(deps.store(store), [segmentsPrefix(lane), indexesPrefix(lane)], signal);
    const unread = unreadable(manifests, sizes, store);
    const segments = distinct(manifests).filter(
      ({ bundle, segment }) => !unread.some((fault) => fault.bundle === bundle && fault.segment === segment.id),
    );
    const record = request.sample === 'due' ? await newestRecord(deps, request, signal) : undefined;
    const comparable = comparableOf(manifests);
    return {
      bundles: wanted.length,
      newest: manifests[0]?.bundle ?? null,
      databaseBytes: sealedBytesOf(manifests[0]?.segments.filter(({ base }) => base === 'copies') ?? []),
      batches: batchesOf(segments, turnsOf(request, segments, record, record?.opened)),
      compare: compareBatches(comparable, turnsOf(request, comparable, record, record?.compared)),
      faults: [...faults, ...unread],
      gaps: await gapsOf(deps, { ...request, signal }, checked, listed),
    };
  });
}

function nothingToVerify({ lane, store, bundle }: VerifyRequest): Failure {
  const what = bundle === undefined ? 'no bundle' : `no bundle ${bundle}`;
  return new Failure('NoRestorePoint', `store ${store} has ${what} of lane ${lane}`, { lane, store });
}

async function readAll(
  deps: Deps,
  { fleet, lane, store }: VerifyRequest,
  bundles: readonly string[],
  signal: AbortSignal,
): Promise<{ checked: CheckedManifest[]; faults: ObjectFault[] }> {
  const faults: ObjectFault[] = [];
  const passOver = (bundle: string): void => {
    faults.push({ bundle, object: 'manifest', what: 'damaged', store });
  };
  const checked: CheckedManifest[] = [];
  const request = { fleet, lane, store, signal };
  for await (const one of goodManifests(deps, request, bundles, passOver)) checked.push(one);
  return { checked, faults };
}

/** By the store's listing; an object that several bundles name is told once, with the newest. */
function unreadable(manifests: readonly Manifest[], sizes: ReadonlyMap<string, number>, store: string): ObjectFault[] {
  const told = new Set<string>();
  return manifests.flatMap(objectsOf).flatMap(({ key, expected, about }): ObjectFault[] => {
    const sizeBytes = sizes.get(key);
    if (sizeBytes === expected.sizeBytes || told.has(key)) return [];
    told.add(key);
    return [{ ...about, what: sizeBytes === undefined ? 'missing' : 'damaged', store }];
  });
}

/** Newest first: each segment where it is named last. */
function distinct(manifests: readonly Manifest[]): Named[] {
  const seen = new Set<string>();
  return manifests.flatMap(({ bundle, segments }) =>
    segments.flatMap((segment) => {
      if (seen.has(segment.suffix)) return [];
      seen.add(segment.suffix);
      return [{ bundle, segment }];
    }),
  );
}

/** Those that are opened, or compared, this time; `before`: when each was last, by suffix. */
function turnsOf(
  { sample, withinMs }: VerifyRequest,
  named: readonly Named[],
  record: VerifyRecord | undefined,
  before: Readonly<Record<string, string>> = {},
): ReadonlySet<string> {
  if (sample === 'none') return new Set();
  const segments = named.map(({ segment }) => segment);
  if (sample === 'all') return new Set(segments.map(({ suffix }) => suffix));
  return dueSegments(segments, { nowMs: Date.now(), withinMs, opened: before, lastRunAt: record?.at });
}

function batchesOf(named: readonly Named[], open: ReadonlySet<string>): VerifyBatch[] {
  const batches: { bundle: string; segments: string[]; open: string[]; sealedBytes: number }[] = [];
  for (const { bundle, segment } of named) {
    const sealedBytes = segment.sealedBytes + segment.index.sealedBytes;
    let last = batches.at(-1);
    if (
      last?.bundle !== bundle ||
      last.sealedBytes + sealedBytes > limits.copyBatchBytes ||
      last.segments.length === limits.copyBatchSegments
    ) {
      last = { bundle, segments: [], open: [], sealedBytes: 0 };
      batches.push(last);
    }
    last.segments.push(segment.id);
    last.sealedBytes += sealedBytes;
    if (open.has(segment.suffix)) last.open.push(segment.id);
  }
  return batches;
}

function compareBatches(named: readonly Named[], due: ReadonlySet<string>): CompareBatch[] {
  const batches: { bundle: string; segments: string[]; plainBytes: number; members: number }[] = [];
  for (const { bundle, segment } of named) {
    if (!due.has(segment.suffix)) continue;
    let last = batches.at(-1);
    const isFull =
      last !== undefined &&
      (last.plainBytes + segment.plainBytes > limits.copyBatchBytes ||
        last.members + segment.members > limits.membersPerSegment ||
        last.segments.length === limits.copyBatchSegments);
    if (last?.bundle !== bundle || isFull) {
      last = { bundle, segments: [], plainBytes: 0, members: 0 };
      batches.push(last);
    }
    last.segments.push(segment.id);
    last.plainBytes += segment.plainBytes;
    last.members += segment.members;
  }
  return batches.map(({ members: _, ...batch }) => batch);
}

function sealedBytesOf(segments: readonly ManifestSegment[]): number {
  return segments.reduce((sum, { sealedBytes }) => sum + sealedBytes, 0);
}

/** A predecessor that has been expired is no gap: a tombstone tells, or it is older than all that is there. */
async function gapsOf(
  deps: Deps,
  about: Omit<ManifestRequest, 'bundle'>,
  checked: readonly CheckedManifest[],
  listed: readonly string[],
): Promise<ChainGap[]> {
  const digests = new Map(checked.map(({ manifest, sha256 }) => [manifest.bundle, sha256]));
  const gaps: ChainGap[] = [];
  const tombstones = await listTombstones(deps, about);
  for (const { manifest } of checked) {
    const { bundle, predecessor } = manifest;
    if (predecessor === undefined || predecessor.bundle < (listed.at(-1) ?? '')) continue;
    if (!listed.includes(predecessor.bundle)) {
      const burial = await burialOf(deps, about, tombstones, { manifest: predecessor, sha256: predecessor.sha256 });
      const wasExpired = burial !== undefined && !(burial instanceof Failure);
      if (!wasExpired) gaps.push({ bundle, predecessor: predecessor.bundle, what: 'missing' });
    } else {
      const sha256 =
        digests.get(predecessor.bundle) ?? (await digestOf(deps, { ...about, bundle: predecessor.bundle }));
      if (sha256 !== predecessor.sha256) gaps.push({ bundle, predecessor: predecessor.bundle, what: 'changed' });
    }
  }
  return gaps;
}

async function digestOf(deps: Deps, request: ManifestRequest): Promise<string | undefined> {
  for await (const { sha256 } of goodManifests(deps, request, [request.bundle])) return sha256;
  return undefined;
}
