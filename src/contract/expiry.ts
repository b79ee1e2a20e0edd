// Expiry of a lane's bundles: what its steps take and answer, and what comes of it. Ids, counts, sizes and times only.

import type { KeepReason, Retention } from '../domain/retention.ts';
import type { Tier } from '../domain/terms.ts';

/** What is to become of one bundle (≤ 250 bytes: limits.verdictsShown). */
export interface ExpiryVerdict {
  readonly bundle: string;
  readonly tier: Tier;
  /**
   * `kept`; `expires`: it gets its tombstone; `tombstoned`: its grace is not over; `due`: it is, and the bundle goes;
   * `reprieved`: it has a tombstone, but is to be kept again; `distrusted`: it has one that is not ours, and stays.
   */
  readonly state: 'kept' | 'expires' | 'tombstoned' | 'due' | 'reprieved' | 'distrusted';
  /** Why it is kept. */
  readonly reasons: readonly KeepReason[];
  /** When at the earliest the bundle is removed; null while nothing says so. */
  readonly goesAt: string | null;
}

export interface ExpiryRemoval {
  readonly removedBundles: readonly string[];
  readonly removedObjects: number;
  readonly removedBytes: number;
  /** Skipped until their retention in the store ends. */
  readonly lockedObjects: number;
  /** When the last of these ends; null when there are none, or the store does not tell. */
  readonly lockedUntil: string | null;
  readonly staleUploads: number;
  /** Bundles that are kept again: their tombstones were taken away. */
  readonly reprieved: number;
}

/** Of a dry run, and where expiry stands still. */
export const nothingRemoved: ExpiryRemoval = {
  removedBundles: [],
  removedObjects: 0,
  removedBytes: 0,
  lockedObjects: 0,
  lockedUntil: null,
  staleUploads: 0,
  reprieved: 0,
};

/** Expiry in one store of a lane. */
export interface StoreExpiry extends ExpiryRemoval {
  readonly store: string;
  /** Why nothing was done; null when nothing stood against it. */
  readonly standsStill: string | null;
  /** Newest first, at most limits.verdictsShown. */
  readonly bundles: readonly ExpiryVerdict[];
  readonly bundlesTotal: number;
  /** Bytes at rest that no kept bundle names: what is freed when all that is expired has gone. */
  readonly expiringBytes: number;
  /** Tombstones that this run set. */
  readonly buried: number;
}

export interface ExpiryResult {
  readonly lane: string;
  readonly dryRun: boolean;
  /** IANA; of the host, whose calendar says which day a bundle is of. */
  readonly timeZone: string;
  readonly stores: readonly StoreExpiry[];
}

export interface ExpiryRequest {
  readonly fleet: string;
  readonly lane: string;
  /** In which bundles are to expire. */
  readonly store: string;
  /** What bundles of this one name stays in the other, too: a copy may be under way. */
  readonly primary: string;
  readonly timeZone: string;
  readonly retention: Retention;
  /** By Temporal's clock. */
  readonly nowMs: number;
}

export interface ToBury {
  readonly bundle: string;
  readonly manifestSha256: string;
}

export interface ExpiryPlan {
  readonly standsStill: string | null;
  readonly bundles: readonly ExpiryVerdict[];
  readonly bundlesTotal: number;
  readonly expiringBytes: number;
  /** Oldest first, at most limits.tombstonesPerRun. */
  readonly toBury: readonly ToBury[];
}
