// What activities take and answer, shape by shape; steps.ts says which activity takes what.

import type { Copies } from './copies.ts';
import type { KeychainItem, LaneTarget } from '../domain/lane-target.ts';
import type { Component, Tier } from '../domain/terms.ts';
import type { ImportedFrom, Origin } from './import-types.ts';
import type { BundleUse } from './receipt-types.ts';
import type { ClassRpo, OmissionCount, RestorePlan, SealedObject, SegmentPlan, SegmentResult } from './results.ts';

/** The order of a mutating step in its section; with the attempt it makes the step's fence. */
export interface StepFence {
  readonly sectionStartMs: number;
  readonly order: number;
}

/** A fence as the lane knows it: one attempt of one step. */
export interface Fence extends StepFence {
  readonly attempt: number;
}

/** Every step on a lane says which; every mutating step also brings its fence. */
export interface OnLane {
  readonly target: LaneTarget;
}
export interface Mutating extends OnLane {
  readonly fence: StepFence;
}

/** What fills the staging tree: many at once, under the fence that opened it. */
export interface UnderStage extends OnLane {
  readonly under: Fence;
}

export interface ResolvedLane {
  readonly fleet: string;
  readonly fleetDigest: string;
  readonly host: string;
  /** The store that its bundles go to, and that store's replica where it has one. */
  readonly store: string;
  readonly replica?: string;
  /** Within which verification opens everything. */
  readonly verifyWithinMs: number;
  /** Streams at the same time. */
  readonly streams: number;
  /** How long an operation waits for the lane when its input does not say. */
  readonly waitForLaneMs: number;
}

/** Exactly one of the three. */
export interface LaneChoice {
  readonly all: boolean;
  readonly host?: string | undefined;
  readonly lanes?: readonly string[] | undefined;
}

/** The lanes of a fleet run, and what it may use of hosts and workers. */
export interface FleetDescription {
  readonly fleet: string;
  readonly fleetDigest: string;
  readonly rtoMs: number;
  readonly caps: FleetCaps;
  /** In the order of the choice, else of the fleet file. */
  readonly lanes: readonly { readonly lane: string; readonly host: string; readonly streams: number }[];
}

/** What one fleet run does at the same time, at most. */
export interface FleetCaps {
  readonly lanesAtOnce: number;
  readonly streamsAtOnce: number;
  readonly streamsPerHost: number;
}

/** What a restore of a lane will take, and the volume that must hold it. */
export interface RestoreRoom {
  readonly bundle: string;
  readonly sizeBytes: number;
  readonly neededBytes: number;
  readonly freeBytes: number;
  /** The same for lanes whose homes share their room. */
  readonly volume: string;
  /** The id of the last restore that was committed on the lane and can be undone. */
  readonly lastRestore: string | null;
}

export interface Survey {
  readonly openclawVersion: string | null;
  readonly os: string;
  readonly timeZone: string;
  readonly clockOffsetMs: number;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** The profile's range holds the version, or none could be read. */
  readonly versionKnown: boolean;
  readonly warnings: readonly string[];
}

export interface Holder {
  readonly operation: string;
  readonly startedAt: string;
  readonly startedBy: string;
}

/** A tree that a restore swaps or carries over, as the journal on the lane has it; here only counts. */
export interface SwapSummary {
  readonly epoch: number;
  readonly renames: number;
  readonly plist: boolean;
}

export interface SmokeResult {
  readonly healthy: boolean;
  readonly answered: boolean;
  readonly httpStatus: number;
  readonly diskUsedRatio: number;
}

export interface BackupLogLine {
  readonly tier: Tier;
  readonly bundle: string;
  readonly sizeBytes: number;
  readonly manifestSha256: string | null;
  readonly elapsedMs: number;
  readonly outcome: 'ok' | 'suspect' | 'failed' | 'cancelled';
  readonly errorCode: string | null;
}

export interface ResolvedLaneName {
  readonly lane: string;
  readonly fleetDigest: string;
  readonly target: LaneTarget;
}

export interface PrepareSwap {
  readonly restore: string;
  readonly components: readonly Component[];
  /** Take over the bundle's plist? */
  readonly plists: boolean;
  readonly secrets: readonly KeychainItem[];
  readonly exclude: readonly string[];
}

export interface PlanRequest extends Mutating {
  readonly bundle: string;
  readonly tier: Tier;
  readonly exclude: readonly string[];
  /** A segment before compression, as the fleet file sets it. */
  readonly segmentBytes: number;
}

/** How the files of a bundle are of one state: cloned in one moment, or each compared before and after it was read. */
export type Consistency = 'compared' | 'cloned';

export interface PlannedSegments {
  readonly segments: readonly SegmentPlan[];
  readonly omissions: readonly OmissionCount[];
}

export interface BackupPlan extends PlannedSegments {
  readonly capturedAt: string;
  /** `cloned`: members of base `home` are read from the clone beside the run. */
  readonly consistency: Consistency;
  readonly warnings: readonly string[];
}

export interface ManifestRequest extends OnLane {
  readonly store: string;
  readonly bundle: string;
  readonly tier: Tier;
  readonly region: string;
  /** When the backup took its first step: one that takes too long is not committed (limits.longestBackupMs). */
  readonly startedAt: string;
  readonly createdAt: string;
  readonly plan: BackupPlan;
  readonly results: readonly SegmentResult[];
  readonly survey: Survey;
  readonly predecessor: Predecessor | null;
  readonly imported?: ImportedFrom;
}

export interface Predecessor {
  readonly bundle: string;
  readonly sha256: string;
  readonly sizes: readonly { readonly component: Component; readonly plainBytes: number }[];
}

export interface BundleChoice extends Copies {
  readonly lane: string;
  readonly fleet: string;
  readonly bundle?: string | undefined;
  readonly at?: string | undefined;
  readonly only?: Component | undefined;
  /** Only bundles of these tiers. */
  readonly tiers?: readonly Tier[] | undefined;
  readonly layered: boolean;
}

export interface ChosenSegment {
  readonly bundle: string;
  readonly id: string;
  readonly component: Component;
  readonly kind: SegmentPlan['kind'];
  readonly supplement: boolean;
  readonly plainBytes: number;
}

export interface ChosenBundles {
  readonly bundle: string;
  readonly tier: Tier;
  readonly profile: string;
  readonly openclawVersion: string | null;
  /** A passed restore proved it; layered, all of them. */
  readonly proven: boolean;
  readonly origin: Origin;
  /** Made of an archive of the old scripts: its databases are to be checked. */
  readonly imported: boolean;
  readonly sources: RestorePlan['sources'];
  /** The same, with what a receipt says of them. */
  readonly used: readonly BundleUse[];
  /** Where it is read: the store that had its manifest, and the other one. */
  readonly copies: Copies;
  readonly segments: readonly ChosenSegment[];
  readonly sizeBytes: number;
  readonly sealedBytes: number;
  readonly captured: readonly Omit<ClassRpo, 'rpoMs'>[];
  readonly warnings: readonly string[];
}

export interface ReusableSegment extends SealedObject {
  readonly fingerprint: string;
  readonly plainBytes: number;
  readonly members: number;
  readonly index: SealedObject;
}

export interface SandboxCheck {
  readonly warnings: readonly string[];
  /** JSON files that parsed. */
  readonly configurations: number;
  /** Keychain items that opened. */
  readonly secrets: number;
}
