// The activities, by the queue that runs them: what each takes and answers. Workflows call these types;
// src/activities fulfils them. Names are API. Every input is one object; every answer is ids, counts, sizes,
// digests and timings, never a name of a file found on a lane and never a secret.

import type { KeychainItem, LaneTarget } from '../domain/lane-target.ts';
import type { Component, Tier } from '../domain/terms.ts';
import type { LaneSpec } from './lane-spec.ts';
import type {
  ClassRpo,
  OmissionCount,
  RestorePlan,
  SealedObject,
  SegmentPlan,
  SegmentResult,
  SettleResult,
  SweepResult,
} from './results.ts';

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
  /** How long an operation waits for the lane when its input does not say. */
  readonly waitForLaneMs: number;
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

/** Queue `clawback`: short steps on hosts. */
export interface HostSteps {
  /** Which fleet and host a lane belongs to, and the digest of the fleet file. UnknownLane. */
  resolveLane(input: { readonly lane: string }): Promise<ResolvedLane>;
  /** The lane's specification, the snapshot that a section keeps to. UnknownLane, FleetChanged. */
  describeLane(input: { readonly lane: string; readonly fleetDigest: string }): Promise<LaneSpec>;
  /** All lanes of this worker's fleet. */
  listLanes(): Promise<readonly ResolvedLaneName[]>;
  /** Who holds a lane's section; null when nobody does any more. */
  describeHolder(input: { readonly workflowId: string }): Promise<Holder | null>;
  /** Refuses (NoPollers) when one of the queues has no worker. */
  requirePollers(input: { readonly queues: readonly string[] }): Promise<void>;
  surveyLane(input: OnLane): Promise<Survey>;
  /** Does an unfinished journal lie on the lane? Null when the host does not answer. */
  readUnsettled(input: OnLane): Promise<boolean | null>;
  /** Opens the journal, then tells launchd to keep the gateway down, and proves that no writer is left. */
  stopWriters(input: Mutating & { readonly restore: string }): Promise<void>;
  /** Makes the staging tree; the streams that fill it run under the fence that this answers. DiskTooFull. */
  openStage(input: Mutating & { readonly restore: string; readonly neededBytes: number }): Promise<Fence>;
  /** Writes what is to be renamed into the journal. Only after the writers have stopped. */
  prepareSwap(input: Mutating & PrepareSwap): Promise<SwapSummary>;
  swapTrees(input: Mutating): Promise<void>;
  startGateway(input: Mutating): Promise<void>;
  commitRestore(input: Mutating): Promise<void>;
  /** Turns the last committed restore's journal round, so that settling rolls it back. NothingToUndo. */
  beginUndo(input: Mutating): Promise<{ readonly epoch: number }>;
  /** Removes the lists, copies and staging of a run. */
  tidyLane(input: Mutating & { readonly run: string }): Promise<void>;
  appendBackupLog(input: OnLane & { readonly line: BackupLogLine }): Promise<void>;
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

export interface BackupPlan {
  readonly capturedAt: string;
  readonly segments: readonly SegmentPlan[];
  readonly omissions: readonly OmissionCount[];
  readonly databases: number;
}

export interface ManifestRequest extends OnLane {
  readonly store: string;
  readonly bundle: string;
  readonly tier: Tier;
  readonly region: string;
  readonly createdAt: string;
  readonly plan: BackupPlan;
  readonly results: readonly SegmentResult[];
  readonly survey: Survey;
  readonly predecessor: Predecessor | null;
}

export interface Predecessor {
  readonly bundle: string;
  readonly sha256: string;
  readonly sizes: readonly { readonly component: Component; readonly plainBytes: number }[];
}

/** Queue `clawback-data`: what reads a lane and writes the store. */
export interface DataSteps {
  /** Lists the lane, plans, and writes the member lists to the lane. */
  planBackup(input: PlanRequest): Promise<BackupPlan>;
  /** Takes consistent copies of the databases that the plan found, and plans their segments. */
  copyDatabases(input: PlanRequest & { readonly firstNumber: number }): Promise<BackupPlan>;
  /** Plans the torn files again. */
  planSupplement(
    input: PlanRequest & {
      readonly firstNumber: number;
      readonly segments: readonly { readonly id: string; readonly base: SegmentPlan['base'] }[];
    },
  ): Promise<BackupPlan>;
  /** Streams one segment from the lane into the store. PlanLost when its list is gone or changed. */
  backupSegment(
    input: OnLane & { readonly store: string; readonly bundle: string; readonly segment: SegmentPlan },
  ): Promise<SegmentResult>;
  /** The Keychain items, straight into a segment of their own. */
  backupSecrets(
    input: OnLane & {
      readonly store: string;
      readonly bundle: string;
      readonly segmentId: string;
      readonly items: readonly KeychainItem[];
    },
  ): Promise<{ readonly plan: SegmentPlan; readonly result: SegmentResult; readonly warnings: readonly string[] }>;
  /** Builds, signs and writes the manifest: the commit point. */
  commitManifest(input: ManifestRequest): Promise<{ readonly sha256: string; readonly suspect: readonly string[] }>;
}

export interface BundleChoice {
  readonly lane: string;
  readonly fleet: string;
  readonly store: string;
  readonly bundle?: string | undefined;
  readonly at?: string | undefined;
  readonly only?: Component | undefined;
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
  readonly proven: boolean;
  readonly sources: RestorePlan['sources'];
  readonly segments: readonly ChosenSegment[];
  readonly sizeBytes: number;
  readonly sealedBytes: number;
  readonly captured: readonly Omit<ClassRpo, 'rpoMs'>[];
  readonly warnings: readonly string[];
}

/** Queue `clawback-vault`: short steps that need the opening key, or delete. */
export interface VaultSteps {
  /** Of these fingerprints, the segments that the newest good manifest holds and the store still has. */
  findReusable(input: {
    readonly fleet: string;
    readonly lane: string;
    readonly store: string;
    readonly fingerprints: readonly string[];
  }): Promise<{
    readonly predecessor: Predecessor | null;
    readonly segments: readonly ReusableSegment[];
  }>;
  chooseBundles(input: BundleChoice): Promise<ChosenBundles>;
  /** Everything on the host that can be checked before anything is stopped. Free and needed bytes. */
  preflightRestore(
    input: OnLane & { readonly sizeBytes: number; readonly secrets: readonly KeychainItem[]; readonly live: boolean },
  ): Promise<{ readonly freeBytes: number; readonly neededBytes: number; readonly warnings: readonly string[] }>;
  rehydrateSecrets(
    input: Mutating & { readonly store: string; readonly segment: ChosenSegment },
  ): Promise<{ readonly items: number }>;
  /** Puts the lane right from its journal: the one repair code. */
  settleLane(input: Mutating): Promise<SettleResult>;
  smokeTest(input: OnLane & { readonly messageToken: KeychainItem | null }): Promise<SmokeResult>;
  /** Removes what the last restore replaced, once it is older than limits.backupTreeKeptMs. */
  dropOldBaks(input: Mutating): Promise<{ readonly removed: boolean }>;
  sweepLane(input: {
    readonly fleet: string;
    readonly lane: string;
    readonly store: string;
    readonly minAgeMs: number;
  }): Promise<SweepResult>;
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

/** Queue `clawback-vault-data`: what reads the store and writes a lane's staging tree. */
export interface VaultDataSteps {
  /**
   * Everything of the chosen bundles that can be checked before a byte is staged: the store has every object, all indexes
   * open and make one tree, the secrets open and hold these items. ObjectMissing, BundleDamaged, BundleForeign,
   * ArchiveHostile, KeychainItemMissing.
   */
  checkBundles(input: {
    readonly fleet: string;
    readonly lane: string;
    readonly store: string;
    readonly segments: readonly ChosenSegment[];
    readonly secrets: readonly KeychainItem[];
  }): Promise<{ readonly members: number }>;
  /** Fetches, checks, opens and unpacks one segment into the staging tree. */
  stageSegment(
    input: UnderStage & { readonly store: string; readonly restore: string; readonly segment: ChosenSegment },
  ): Promise<{ readonly plainBytes: number; readonly members: number }>;
  /** Size, mode and time of files that came as ranges, once all their ranges are there. */
  finishRanges(
    input: UnderStage & {
      readonly store: string;
      readonly restore: string;
      readonly segments: readonly ChosenSegment[];
    },
  ): Promise<void>;
  /** Checks a staged tree without a gateway: the configuration parses, each secret opens. */
  checkSandbox(
    input: UnderStage & {
      readonly store: string;
      readonly restore: string;
      readonly segments: readonly ChosenSegment[];
    },
  ): Promise<SandboxCheck>;
}
