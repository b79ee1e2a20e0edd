// What workflows and activities answer: ids, counts, sizes, digests and timings. No file name, no secret.

import type { UpgradeResult } from './upgrade.ts';
import type { ExpiryResult } from './expiry.ts';
import type { PruneResult } from './incident-state.ts';
import type { RestoreStep } from '../domain/budget.ts';
import type { Component, Tier } from '../domain/terms.ts';

/** One sealed object: its key is the kind's prefix, the fingerprint and this suffix. */
export interface SealedObject {
  readonly suffix: string;
  readonly sealedBytes: number;
  readonly sealedSha256: string;
  /** In the store that it was put into, where that keeps versions; ids over limits.versionIdBytes are left out. */
  readonly versionId?: string;
}

/** What became of one segment (≤ 460 bytes: limits.segmentResultBytes). */
export interface SegmentResult extends SealedObject {
  readonly id: string;
  readonly plainBytes: number;
  readonly members: number;
  readonly index: SealedObject;
  /** Members that were gone when they were read. */
  readonly vanished: number;
  /** Members that changed while they were read; their names stand on the lane. */
  readonly torn: number;
}

/** One planned segment as history holds it; its member list lies on the lane. */
export interface SegmentPlan {
  readonly id: string;
  readonly component: Component;
  readonly kind: 'tar' | 'range' | 'directories' | 'secrets';
  readonly base: 'home' | 'host' | 'copies';
  readonly fingerprint: string;
  readonly reusable: boolean;
  readonly supplement: boolean;
  readonly sizeBytes: number;
  readonly members: number;
  readonly range?: { readonly offset: number; readonly length: number };
  /** SHA-256 of the member list on the lane. */
  readonly listSha256: string;
}

export interface OmissionCount {
  readonly reason: string;
  readonly count: number;
}

export interface BackupResult {
  readonly bundle: string;
  readonly lane: string;
  readonly host: string;
  readonly tier: Tier;
  readonly manifestSha256: string;
  readonly segments: number;
  readonly reusedSegments: number;
  /** Bytes of the lane's data that the bundle holds. */
  readonly sizeBytes: number;
  /** The store that has a copy of it too; absent when it has none, of which `warnings` says why. */
  readonly replica?: string;
  /** Bytes at rest of the segments that this run wrote. */
  readonly sealedBytes: number;
  readonly elapsedMs: number;
  readonly omissions: readonly OmissionCount[];
  readonly suspect: readonly string[];
  readonly warnings: readonly string[];
}

/** One object that is not as its manifest says, by what it is part of. */
export interface ObjectFault {
  readonly bundle: string;
  /** Absent for the manifest. */
  readonly segment?: string;
  readonly component?: Component;
  readonly object: 'manifest' | 'segment' | 'index' | 'database';
  /** `unopenable`: whole, but not sealed to the key that the vault has. */
  readonly what: 'missing' | 'damaged' | 'unopenable';
  readonly store: string;
}

/** What was copied of one bundle; objects are segments, their indexes, and the manifest. */
export interface CopiedBundle {
  readonly bundle: string;
  readonly sentObjects: number;
  readonly sentBytes: number;
  /** Were at the replica already. */
  readonly presentObjects: number;
}

export interface ReplicateResult {
  readonly lane: string;
  /** Stores by name. */
  readonly from: string;
  readonly to: string;
  readonly bundles: readonly CopiedBundle[];
  /** Bundles that could not be copied, and why; the others were. */
  readonly failed: readonly { readonly bundle: string; readonly code: string; readonly message: string }[];
  readonly elapsedMs: number;
}

export interface StepTime {
  readonly step: RestoreStep;
  readonly ms: number;
  readonly budgetMs: number;
}

/** How old the restored data of a class is, and from which bundle. */
export interface ClassRpo {
  readonly dataClass: 1 | 2;
  readonly bundle: string;
  readonly capturedAt: string;
  readonly rpoMs: number;
}

export interface RestorePlan {
  readonly lane: string;
  readonly host: string;
  /** The host that the bundle is of, when it is another one. */
  readonly fromHost: string | null;
  readonly bundle: string;
  readonly tier: Tier;
  readonly proven: boolean;
  /** Each part's source: a restore may be layered. */
  readonly sources: readonly { readonly bundle: string; readonly components: readonly Component[] }[];
  /** Which store the bundle is read from. */
  readonly store: string;
  readonly sizeBytes: number;
  readonly sealedBytes: number;
  readonly segments: number;
  readonly rpo: readonly ClassRpo[];
  readonly estimateMs: number;
  readonly openclawVersion: string | null;
  readonly liveOpenclawVersion: string | null;
  readonly freeBytes: number;
  readonly neededBytes: number;
  readonly warnings: readonly string[];
}

export interface RestoreResult {
  readonly lane: string;
  readonly host: string;
  readonly bundle: string;
  readonly into: 'live' | 'sandbox' | 'undo' | 'plan';
  readonly plan: RestorePlan | null;
  /** How many segments each store gave. */
  readonly stores: readonly { readonly store: string; readonly segments: number }[];
  /** From the start of the section to the answered message. */
  readonly rtoMs: number;
  readonly rtoBudgetMs: number;
  readonly steps: readonly StepTime[];
  readonly rpo: readonly ClassRpo[];
  readonly messageAnswered: boolean;
  /** When the test message was answered; null where none was. */
  readonly answeredAt: string | null;
  readonly overBudget: readonly string[];
  /** Where the replaced trees are kept, as `<tree>.bak.<epoch>`; null when nothing was replaced. */
  readonly bakEpoch: number | null;
  /** Of a sandbox: JSON files that parsed, Keychain items that opened. */
  readonly checked?: { readonly configurations: number; readonly secrets: number };
  /** Id of its receipt; null for a plan, and where none could be written (then a warning says so). */
  readonly receipt: string | null;
  readonly warnings: readonly string[];
}

export interface SettleResult {
  /** What the journal told to do. */
  readonly action: 'nothing' | 'rolled-back' | 'went-forward';
  readonly gateway: 'running' | 'stopped';
}

export interface SweepResult extends SweptStore {
  readonly store: string;
  /** Null where the lane's store has none. */
  readonly replica: (SweptStore & { readonly store: string }) | null;
}

export interface SweptStore {
  readonly removedObjects: number;
  readonly removedBytes: number;
  readonly keptObjects: number;
  /** Skipped until their retention in the store ends. */
  readonly lockedObjects: number;
  /** When the last of these ends; null when there are none, or the store does not tell. */
  readonly lockedUntil: string | null;
  readonly staleUploads: number;
  /** Bundles that lack objects: one that was committed meanwhile, whose objects this sweep did not know to be named. */
  readonly damaged: readonly string[];
}

/** What became of an archive of the old scripts. */
export interface ImportResult {
  readonly lane: string;
  readonly archive: string;
  readonly bundle: string;
  readonly tier: Tier;
  readonly capturedAt: string;
  /** The same archive was imported before: its bundle is there. Nothing was written, and the rest is 0. */
  readonly already: boolean;
  readonly segments: number;
  readonly sizeBytes: number;
  readonly sealedBytes: number;
  readonly omissions: readonly OmissionCount[];
  readonly suspect: readonly string[];
}

export interface StopResult {
  /** Was there a process of its gateway? */
  readonly ran: boolean;
}

export type SectionResult =
  | { readonly kind: 'backup'; readonly backup: BackupResult }
  | { readonly kind: 'restore'; readonly restore: RestoreResult }
  | { readonly kind: 'upgrade'; readonly upgrade: UpgradeResult }
  | { readonly kind: 'import'; readonly import: ImportResult }
  | { readonly kind: 'settle'; readonly settle: SettleResult }
  | { readonly kind: 'prune'; readonly prune: PruneResult }
  | { readonly kind: 'stop'; readonly stop: StopResult }
  | { readonly kind: 'sweep'; readonly sweep: SweepResult }
  | { readonly kind: 'expire'; readonly expire: ExpiryResult };

/** The answer of the query `progress`, for the CLI and the UI. */
export interface Progress {
  readonly phase: string;
  readonly startedAt: string;
  readonly segmentsDone: number;
  readonly segmentsTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly reusedBytes: number;
  /** The running step of a restore and its budget. */
  readonly step: { readonly name: RestoreStep; readonly startedAt: string; readonly budgetMs: number } | null;
  readonly overBudget: readonly string[];
}
export const progressQuery = 'progress';
