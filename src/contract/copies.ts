// Second copies of bundles: what the steps take and answer that make them.

import type { ObjectFault } from './results.ts';

/** One bundle on its way from a store to another. */
export interface BundleCopy {
  readonly fleet: string;
  readonly lane: string;
  readonly from: string;
  readonly to: string;
  readonly bundle: string;
}

/** Segments that are copied in one step: each with its index. */
export interface CopyBatch {
  readonly segments: readonly string[];
  readonly sealedBytes: number;
}

export interface ReplicaPlan {
  /** What the replica lacks, or has and nobody has looked at yet. */
  readonly batches: readonly CopyBatch[];
  readonly presentObjects: number;
  /** Objects at the replica of another size than the manifest's: they are never overwritten. */
  readonly faults: readonly ObjectFault[];
}

export interface CopiedSegments {
  readonly sentObjects: number;
  readonly sentBytes: number;
  readonly presentObjects: number;
  readonly faults: readonly ObjectFault[];
}

/** Where a bundle is read: the store that is asked first, and the other one where there is one. */
export interface Copies {
  readonly store: string;
  readonly replica?: string | undefined;
}
