// What is to become of each bundle of a lane: the rules of domain/retention.ts, and where a bundle stands between its
// tombstone and its removal. Pure; both phases ask it, each with what it has read itself.

import type { ExpiryVerdict } from '../../contract/expiry.ts';
import { Failure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import {
  type KeepReason,
  reasonsToKeep,
  type RestorePoint,
  type Retention,
  suspectNewest,
} from '../../domain/retention.ts';
import { classOf } from '../../domain/terms.ts';
import { proofOf, type Proven } from '../../receipt/proven.ts';
import type { ProvenBundles } from '../receipts/proven-bundles.ts';
import type { Burial, Checked } from '../tombstones.ts';

export interface Judged extends Checked {
  readonly state: ExpiryVerdict['state'];
  readonly reasons: readonly KeepReason[];
  readonly goesAtMs: number | null;
}

export interface Case {
  readonly bundles: readonly (Checked & { readonly burial: Burial })[];
  readonly receipts: ProvenBundles;
  readonly retention: Retention;
  readonly timeZone: string;
  /** By the store's clock. */
  readonly storeMs: number;
  /** By Temporal's. */
  readonly nowMs: number;
}

/** @returns each bundle's verdict, and why nothing may be done at all, if so */
export function judge(about: Case): { readonly standsStill: string | null; readonly bundles: readonly Judged[] } {
  const points = about.bundles.map((bundle) => pointOf(bundle, about.receipts.proven));
  const kept = reasonsToKeep(points, about.retention, about.timeZone);
  return {
    standsStill: standstill(about, points),
    bundles: about.bundles.map((bundle) => ({
      ...bundle,
      ...verdict(bundle.burial, kept.get(bundle.manifest.bundle) ?? [], about),
    })),
  };
}

function pointOf({ manifest, sha256 }: Checked, proven: Proven): RestorePoint {
  const { bundle, capturedAt, host, suspect = [], segments } = manifest;
  return {
    bundle,
    capturedAtMs: Date.parse(capturedAt),
    classes: ([1, 2] as const).filter((one) => segments.some(({ component }) => classOf(component) === one)),
    version: host.openclawVersion ?? null,
    suspect: suspect.length > 0,
    proven: proofOf(proven, bundle, sha256) !== undefined,
  };
}

/**
 * A receipt that cannot be believed may be that of the last proven bundle. A bundle of the future was made by a clock
 * that was wrong, or is judged by one.
 */
function standstill({ bundles, receipts, storeMs }: Case, points: readonly RestorePoint[]): string | null {
  const suspect = suspectNewest(points);
  if (suspect) return `bundle ${suspect.bundle}, the newest that holds its class, is suspect`;
  const [ignored] = receipts.ignored;
  if (ignored) return `receipt ${ignored.id} cannot be believed, so that the last proven bundle is not known`;
  const early = bundles.find(({ manifest }) => Date.parse(manifest.createdAt) > storeMs + limits.clockOffsetMs);
  return early ? `bundle ${early.manifest.bundle} was made at ${early.manifest.createdAt}, which is to come` : null;
}

function verdict(
  burial: Burial,
  reasons: readonly KeepReason[],
  { retention, storeMs, nowMs }: Case,
): Pick<Judged, 'state' | 'reasons' | 'goesAtMs'> {
  const kept = reasons.length > 0;
  if (burial === undefined) return { state: kept ? 'kept' : 'expires', reasons, goesAtMs: null };
  if (burial instanceof Failure) return { state: kept ? 'kept' : 'distrusted', reasons, goesAtMs: null };
  if (kept) return { state: 'reprieved', reasons, goesAtMs: null };
  const goesAtMs = Math.max(burial.storedAtMs, burial.tombstonedAtMs) + retention.graceMs;
  // the store's clock and Temporal's must both have seen the whole grace
  const isOver = storeMs - burial.storedAtMs >= retention.graceMs && nowMs - burial.tombstonedAtMs >= retention.graceMs;
  return { state: isOver ? 'due' : 'tombstoned', reasons, goesAtMs };
}
