// The commit point of a backup: the manifest, built from recorded results only, so that its bytes are the same
// under every retry; signed, and created, never overwritten. One that is there already is this one. Written only where the
// store has every object that it names: a worker that was thought dead may commit after its section has ended and a sweep
// has removed them. One that removes them in that very minute is seen after it, and the bundle given up.

import { sha256Hex } from '../../bundle/digest.ts';
import { encodeManifest, type Manifest, type ManifestSegment, totalsOf } from '../../bundle/manifest.ts';
import { indexesPrefix, manifestKey, segmentsPrefix } from '../../bundle/object-keys.ts';
import { type Recipient, recipientFingerprint } from '../../bundle/recipient.ts';
import { type SuspectReason, suspectReasons } from '../../bundle/suspect.ts';
import type { OmissionCount, SegmentPlan, SegmentResult } from '../../contract/results.ts';
import type { ManifestRequest } from '../../contract/step-types.ts';
import type { DataSteps } from '../../contract/steps.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { macHome } from '../../domain/lane-target.ts';
import { limits } from '../../domain/limits.ts';
import { componentsOf } from '../../domain/terms.ts';
import type { Store } from '../../store/store.ts';
import type { Deps } from '../deps.ts';
import { activity } from '../step.ts';
import { isStored, storedSizes } from '../stored-sizes.ts';
import { bury, type Checked } from '../tombstones.ts';

export function commitManifestStep(deps: Deps): DataSteps['commitManifest'] {
  return activity(async (request, { signal }) => {
    requireInTime(request);
    const manifest = buildManifest(request, await deps.keys.recipients());
    const signer = await deps.keys.manifestSigner();
    const bytes = encodeManifest(manifest, signer);
    const sha256 = sha256Hex(bytes);
    const store = deps.store(request.store);
    await commit(store, manifest, bytes, signal);
    await requireKept(store, { manifest, sha256 }, { signer, signal });
    return { sha256, suspect: manifest.suspect ?? [] };
  });
}

/** Expiry trusts that nothing which was found reusable is committed later than this: its grace is longer. */
function requireInTime({ startedAt, bundle }: ManifestRequest): void {
  const tookMs = Date.now() - Date.parse(startedAt);
  if (tookMs <= limits.longestBackupMs) return;
  const hours = (ms: number): string => (ms / 3_600_000).toFixed(1);
  throw new Failure(
    'BackupTooLong',
    `bundle ${bundle} was begun ${hours(tookMs)} hours ago, at most ${hours(limits.longestBackupMs)} are allowed`,
    { bundle },
  );
}

/** Soon after the look: what a sweep may remove in between is what it removes in that time. May be repeated. */
async function commit(store: Store, manifest: Manifest, bytes: Buffer, signal: AbortSignal): Promise<void> {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(limits.commitMs)]);
  try {
    await requireObjects(store, manifest, soon);
    await store.put(manifestKey(manifest.lane, manifest.bundle), bytes, { signal: soon });
  } catch (error) {
    if (isFailure(error, 'ObjectExists')) return;
    if (!soon.aborted || signal.aborted) throw error;
    const { name } = store;
    throw new Failure('StoreUnreachable', `store ${name} took no manifest within ${limits.commitMs / 1000} s`, {
      store: name,
    });
  }
}

/**
 * The look after the manifest: a sweep that had not seen it may have removed what it names. Then a tombstone is set, so
 * that no restore chooses the bundle and no backup builds on it. ObjectMissing.
 */
async function requireKept(
  store: Store,
  { manifest, sha256 }: Checked,
  how: Parameters<typeof bury>[2],
): Promise<void> {
  try {
    await requireObjects(store, manifest, how.signal);
  } catch (error) {
    if (!isFailure(error, 'ObjectMissing')) throw error;
    const { fleet, lane, bundle } = manifest;
    const tombstonedAt = new Date().toISOString();
    await bury(store, { format: 1, fleet, lane, bundle, manifestSha256: sha256, tombstonedAt }, how);
    throw error;
  }
}

/** ObjectMissing, with how many objects are not there or of another size. */
export async function requireObjects(store: Store, manifest: Manifest, signal: AbortSignal): Promise<void> {
  const { bundle, lane, segments } = manifest;
  const sizes = await storedSizes(store, [segmentsPrefix(lane), indexesPrefix(lane)], signal);
  const lost = segments.filter((segment) => !isStored(segment, lane, sizes)).length;
  if (lost === 0) return;
  throw new Failure(
    'ObjectMissing',
    `bundle ${bundle} cannot be committed: store ${store.name} lacks objects of ${lost} of its ${segments.length} segments`,
    { bundle, lane, store: store.name, count: lost },
  );
}

/** A pure function of what the workflow recorded. */
export function buildManifest(request: ManifestRequest, recipients: readonly Recipient[]): Manifest {
  const { target, plan, results, survey, predecessor } = request;
  const segments = plan.segments.map((segment, at) => manifestSegment(segment, results[at]));
  const suspect = suspectOf(segments, request);
  return {
    format: 1,
    bundle: request.bundle,
    fleet: target.fleet,
    lane: target.lane,
    tier: request.tier,
    profile: target.profile,
    createdAt: request.createdAt,
    capturedAt: plan.capturedAt,
    host: {
      name: target.host.name,
      region: request.region,
      os: survey.os,
      ...(survey.openclawVersion === null ? {} : { openclawVersion: survey.openclawVersion }),
      user: target.user,
      home: macHome(target),
      port: target.port,
    },
    clockOffsetMs: Math.round(survey.clockOffsetMs),
    consistency: plan.consistency,
    ...(predecessor ? { predecessor: { bundle: predecessor.bundle, sha256: predecessor.sha256 } } : {}),
    ...(suspect.length > 0 ? { suspect } : {}),
    ...(request.imported ? { imported: request.imported } : {}),
    components: totalsOf(segments),
    segments,
    omissions: sumByReason([
      ...plan.omissions,
      { reason: 'vanished', count: results.reduce((sum, { vanished }) => sum + vanished, 0) },
    ]),
    recipients: recipients.map((recipient) => ({ name: recipient.name, fingerprint: recipientFingerprint(recipient) })),
  };
}

function manifestSegment(plan: SegmentPlan, result: SegmentResult | undefined): ManifestSegment {
  if (!result || result.id !== plan.id)
    throw new Failure('Unexpected', `segment ${plan.id} has no result of its own`, { segment: plan.id });
  const { id, component, kind, base, range, supplement, fingerprint, reusable } = plan;
  const { suffix, sealedBytes, sealedSha256, versionId, plainBytes, members, index, torn } = result;
  const version = versionId === undefined ? {} : { versionId };
  const stored = { suffix, sealedBytes, sealedSha256, ...version, plainBytes, members, index };
  return {
    id,
    component,
    kind,
    base,
    ...(range ? { range } : {}),
    supplement,
    fingerprint,
    reusable: reusable && torn === 0,
    ...stored,
  };
}

function suspectOf(
  segments: readonly ManifestSegment[],
  { predecessor, tier }: Pick<ManifestRequest, 'predecessor' | 'tier'>,
): SuspectReason[] {
  return suspectReasons(
    segments,
    predecessor?.sizes.map((size) => ({ ...size, kind: 'tar', members: 1 })),
    componentsOf(tier),
  );
}

function sumByReason(omissions: readonly OmissionCount[]): OmissionCount[] {
  const counts = new Map<string, number>();
  for (const { reason, count } of omissions) counts.set(reason, (counts.get(reason) ?? 0) + count);
  return [...counts].filter(([, count]) => count > 0).map(([reason, count]) => ({ reason, count }));
}
