// What activities take and answer about archives of the old scripts, and about bundles of another host.

import type { Tier } from '../domain/terms.ts';
import type { SegmentResult } from './results.ts';
import type { BackupPlan, OnLane } from './step-types.ts';

/** An archive that a bundle was made of, as its manifest names it. */
export interface ImportedFrom {
  readonly archive: string;
  readonly sizeBytes: number;
  /** Of the archive as it lies there. */
  readonly sha256: string;
}

export interface ImportRequest extends OnLane {
  readonly store: string;
  readonly archive: string;
  readonly exclude: readonly string[];
  readonly segmentBytes: number;
}

export interface ImportedArchive {
  /** Made of capture time and digest: the same archive has the same. */
  readonly bundle: string;
  readonly tier: Tier;
  /** Its manifest is in the store already; then there are no segments here. */
  readonly already: boolean;
  readonly plan: BackupPlan;
  readonly results: readonly SegmentResult[];
  readonly from: ImportedFrom;
}

/** Where the bundle's lane was; what older manifests do not say is null. */
export interface Origin {
  readonly host: string;
  readonly os: string;
  readonly user: string | null;
  readonly home: string | null;
  readonly port: number | null;
}

/**
 * What is known of the host that a lane came from: `running` and `loadable` (it would start at boot) harm, `down` does
 * not; `unreachable` and `unknown` (no longer in the fleet file) cannot be told.
 */
export type OriginState = 'running' | 'loadable' | 'down' | 'unreachable' | 'unknown';
