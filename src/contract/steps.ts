// The activities, by the queue that runs them: what each takes and answers; src/activities fulfils them. Names are API. Every
// input is one object; every answer is ids, counts, sizes, digests and timings, never a name of a lane's file, never a secret.

import type { KeychainItem } from '../domain/lane-target.ts';
import type { BundleCopy, Copies, CopiedSegments, ReplicaPlan } from './copies.ts';
import type { GateHostSteps, GateVaultSteps } from './gate-steps.ts';
import type { UpgradeSteps } from './upgrade.ts';
import type { LaneSpec } from './lane-spec.ts';
import type { LossHostSteps, LossVaultSteps } from './losses.ts';
import type { ObjectFault, SegmentPlan, SegmentResult, SettleResult, SweptStore } from './results.ts';
import type { ExpiryPlan, ExpiryRemoval, ExpiryRequest, ToBury } from './expiry.ts';
import type { ImportedArchive, ImportRequest, OriginState } from './import-types.ts';
import type { IncidentHostSteps, IncidentSteps } from './incident-plan.ts';
import type { RpoSteps } from './rpo.ts';
import type { ReceiptRequest } from './receipt-types.ts';
import type {
  BackupLogLine,
  BackupPlan,
  BundleChoice,
  ChosenBundles,
  ChosenSegment,
  Consistency,
  Fence,
  FleetDescription,
  Holder,
  ManifestRequest,
  Mutating,
  OnLane,
  PlannedSegments,
  PlanRequest,
  Predecessor,
  LaneChoice,
  PrepareSwap,
  ResolvedLane,
  ResolvedLaneName,
  RestoreRoom,
  ReusableSegment,
  SandboxCheck,
  SmokeResult,
  Survey,
  SwapSummary,
  UnderStage,
} from './step-types.ts';
import type {
  CheckedDatabases,
  CompareRequest,
  Coverage,
  InStore,
  LaneComparison,
  VerifiedSegments,
  VerifyBatch,
  VerifyFindings,
  VerifyPlan,
  VerifyRequest,
} from './verify.ts';
import type { WatchHostSteps } from './watch-types.ts';

/** Queue `clawback`: short steps on hosts. */
export interface HostSteps extends GateHostSteps, IncidentHostSteps, LossHostSteps, WatchHostSteps {
  /** Which fleet and host a lane belongs to, and the digest of the fleet file. UnknownLane. */
  resolveLane(input: { readonly lane: string }): Promise<ResolvedLane>;
  /** The lane's specification, the snapshot that a section keeps to. UnknownLane, FleetChanged. */
  describeLane(input: { readonly lane: string; readonly fleetDigest: string }): Promise<LaneSpec>;
  /** The lanes that were chosen, and the caps on them. UnknownLane when one, or the host, is not in the fleet. */
  describeFleet(input: LaneChoice): Promise<FleetDescription>;
  /** All lanes of this worker's fleet. */
  listLanes(): Promise<readonly ResolvedLaneName[]>;
  /** Who holds a lane's section; null when nobody does any more. */
  describeHolder(input: { readonly workflowId: string }): Promise<Holder | null>;
  /** Refuses (NoPollers) when one of the queues has no worker, after waiting for one as long as is said. */
  requirePollers(input: { readonly queues: readonly string[]; readonly waitMs?: number }): Promise<void>;
  surveyLane(input: OnLane): Promise<Survey>;
  /** Does the lane's gateway run on this other host of the fleet, or would it at boot? Changes nothing; a host that does not answer is no failure. */
  probeOrigin(input: OnLane & { readonly host: string }): Promise<{ readonly state: OriginState }>;
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
  /** The commit point; done already, when that restore's journal is the newest that was put aside. JournalDamaged. */
  commitRestore(input: Mutating & { readonly restore: string }): Promise<void>;
  /** Removes the lists, copies and staging of a run. */
  tidyLane(input: Mutating & { readonly run: string }): Promise<void>;
  appendBackupLog(input: OnLane & { readonly line: BackupLogLine }): Promise<void>;
}

/** Queue `clawback-data`: what reads a lane and writes the store. */
export interface DataSteps {
  /**
   * Lists the lane, copies its databases and, where the file system can, clones its files, all while the gateway is
   * suspended, where it can be; then plans, and writes the member lists to the lane. Before all that it reads the Keychain
   * items that the backup will take, for what cannot be sealed then is refused now. ClassOneEmpty, KeychainMissing,
   * KeychainLocked, KeychainPasswordWrong, KeychainItemMissing, KeychainItemUnusable.
   */
  captureLane(input: PlanRequest & { readonly secrets: readonly KeychainItem[] }): Promise<BackupPlan>;
  /** Plans the torn files again. */
  planSupplement(
    input: PlanRequest & {
      readonly firstNumber: number;
      readonly consistency: Consistency;
      readonly segments: readonly { readonly id: string; readonly base: SegmentPlan['base'] }[];
    },
  ): Promise<PlannedSegments>;
  /** Streams one segment from the lane into the store. PlanLost when its list is gone or changed. */
  backupSegment(
    input: OnLane & {
      readonly store: string;
      readonly bundle: string;
      readonly segment: SegmentPlan;
      readonly consistency: Consistency;
    },
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
  /** Is the archive there, and may it be one of this lane? Its size. ArchiveMissing, ArchiveForeign, InvalidInput. */
  findArchive(input: OnLane & { readonly archive: string }): Promise<{ readonly sizeBytes: number }>;
  /**
   * Reads an archive of the old scripts twice: judges all of it, then writes its segments. Nothing is written of one that
   * is not whole. ArchiveDamaged, ArchiveKeyWrong, ArchiveForeign, ArchiveHostile, VersionUnsupported.
   */
  importArchive(input: ImportRequest): Promise<ImportedArchive>;
  /** Builds, signs and writes the manifest: the commit point. BackupTooLong, ObjectMissing. */
  commitManifest(input: ManifestRequest): Promise<{ readonly sha256: string; readonly suspect: readonly string[] }>;
  /** Signs and writes the tombstones of bundles. May be called again. */
  buryBundles(input: {
    readonly fleet: string;
    readonly lane: string;
    readonly store: string;
    readonly bundles: readonly ToBury[];
    readonly tombstonedAt: string;
  }): Promise<void>;
}

/** Queue `clawback-vault`: short steps that need the opening key, or delete. */
export interface VaultSteps extends GateVaultSteps, IncidentSteps, LossVaultSteps, UpgradeSteps, RpoSteps {
  /** Of these fingerprints, the segments that the newest good manifest holds and the store still has. */
  findReusable(input: {
    readonly fleet: string;
    readonly lane: string;
    readonly store: string;
    readonly fingerprints: readonly string[];
  }): Promise<{ readonly predecessor: Predecessor | null; readonly segments: readonly ReusableSegment[] }>;
  /** Which bundle a restore would take, how much room it needs, and how much the volume has. FleetChanged, NoRestorePoint. */
  measureRestore(input: Omit<BundleChoice, 'fleet' | 'store'> & { readonly fleetDigest: string }): Promise<RestoreRoom>;
  chooseBundles(input: BundleChoice): Promise<ChosenBundles>;
  /** Everything on the host that can be checked before anything is stopped. Free and needed bytes. */
  preflightRestore(
    input: OnLane & { readonly sizeBytes: number; readonly secrets: readonly KeychainItem[]; readonly live: boolean },
  ): Promise<Pick<RestoreRoom, 'freeBytes' | 'neededBytes' | 'lastRestore'> & { readonly warnings: readonly string[] }>;
  rehydrateSecrets(input: Mutating & Copies & { readonly segment: ChosenSegment }): Promise<{ readonly items: number }>;
  /** Turns the last committed restore's journal round, for settling to roll back. NothingToUndo, KeychainLocked, KeychainItemUnusable. */
  beginUndo(input: Mutating): Promise<{ readonly epoch: number }>;
  /** Puts the lane right from its journal: the one repair code. LaneUnsettled when the gateway of the old tree does not start. */
  settleLane(input: Mutating): Promise<SettleResult>;
  smokeTest(input: OnLane & { readonly messageToken: KeychainItem | null }): Promise<SmokeResult>;
  /** Removes what the last restore replaced, once it is older than limits.backupTreeKeptMs. */
  dropOldBaks(input: Mutating): Promise<{ readonly removed: boolean }>;
  /** The bundles of a lane that its store has and the replica has not, newest first. */
  listUncopied(input: Omit<BundleCopy, 'bundle'>): Promise<readonly string[]>;
  /** What a bundle's copy takes; nothing is written. ObjectMissing and what manifests are refused with. */
  planReplica(input: BundleCopy): Promise<ReplicaPlan>;
  /** The manifest, once everything that it names is at the replica: the copy's commit point. ReplicaDamaged. */
  commitReplica(input: BundleCopy): Promise<Pick<CopiedSegments, 'sentObjects' | 'sentBytes' | 'presentObjects'>>;
  /**
   * Signs and writes the receipt of a run; one that is there already with the same content is this one.
   * SecretUnavailable, ReceiptDamaged (another one is there), and what the store throws.
   */
  writeReceipt(input: ReceiptRequest): Promise<{ readonly receipt: string }>;
  /** The receipts that the replica lacks. */
  copyReceipts(input: Omit<BundleCopy, 'fleet' | 'bundle'>): Promise<{ readonly sentObjects: number }>;
  /** What a verification reads, and what is wrong without reading. NoRestorePoint. */
  planVerification(input: VerifyRequest): Promise<VerifyPlan>;
  /** Keeps what it found in a record beside the bundles. */
  recordVerification(input: VerifyFindings): Promise<Coverage>;
  sweepLane(input: {
    readonly fleet: string;
    readonly lane: string;
    readonly store: string;
    readonly minAgeMs: number;
    /** Of a replica: what this store's manifests name stays in it, too, for it may be under way. */
    readonly primary?: string | undefined;
  }): Promise<SweptStore>;
  /** What is to become of each bundle; changes nothing. ClockOff; as for a manifest when one cannot be used. */
  planExpiry(input: ExpiryRequest): Promise<ExpiryPlan>;
  /**
   * Reads everything again, then removes the bundles whose grace is over and what nothing names any more. May be called
   * again; counts are those of the attempt that ended. ClockOff; as for a manifest when one cannot be used.
   */
  removeExpired(input: ExpiryRequest): Promise<ExpiryRemoval>;
}

/** Queue `clawback-vault-data`: what reads the store and writes a lane's staging tree. */
export interface VaultDataSteps {
  /**
   * Everything of the chosen bundles that can be checked before a byte is staged: the store has every object, all indexes
   * open and make one tree, the secrets open and hold these items. ObjectMissing, BundleDamaged, BundleForeign,
   * ArchiveHostile, KeychainItemMissing.
   */
  checkBundles(
    input: Copies & {
      readonly fleet: string;
      readonly lane: string;
      readonly segments: readonly ChosenSegment[];
      readonly secrets: readonly KeychainItem[];
    },
  ): Promise<{ readonly members: number }>;
  /** Copies segments and their indexes, sealed as they are; sizes and digests are checked on the way. Needs no key. */
  copySegments(input: BundleCopy & { readonly segments: readonly string[] }): Promise<CopiedSegments>;
  /** Reads segments to their end; those to open are opened, and each member compared with its index. */
  verifySegments(input: InStore & Omit<VerifyBatch, 'sealedBytes'>): Promise<VerifiedSegments>;
  /** Checks the databases of a bundle, in memory: those for which there is no room there are named. */
  verifyDatabases(
    input: InStore & { readonly bundle: string },
  ): Promise<CheckedDatabases & { readonly faults: readonly ObjectFault[] }>;
  /**
   * Compares files of these segments that are on the lane as the bundle has them, by size and time, with their indexes, and
   * writes the names that faults affect, and those of unchecked databases, into the lane's report. Without a bundle nothing
   * is compared. A lane that does not answer is no failure. May be called again: then the report
   * has the names twice.
   */
  compareLane(input: OnLane & CompareRequest): Promise<LaneComparison>;
  /** Fetches, checks, opens and unpacks one segment into the staging tree. `store`: which one gave it. */
  stageSegment(
    input: UnderStage & Copies & { readonly restore: string; readonly segment: ChosenSegment },
  ): Promise<{ readonly plainBytes: number; readonly members: number; readonly store: string }>;
  /** Size, mode and time of files that came as ranges, once all their ranges are there. */
  finishRanges(
    input: UnderStage & Copies & { readonly restore: string; readonly segments: readonly ChosenSegment[] },
  ): Promise<void>;
  /** Staged databases that were copied as they lay there: logs are played in, each is checked; the lane's report names
   *  those that fail. DatabaseDamaged. */
  checkDatabases(input: UnderStage & { readonly restore: string }): Promise<{ readonly databases: number }>;
  /** Checks a staged tree without a gateway: the configuration parses, each secret opens. */
  checkSandbox(
    input: UnderStage & Copies & { readonly restore: string; readonly segments: readonly ChosenSegment[] },
  ): Promise<SandboxCheck>;
}
