// Verification of what lies in a store: what its steps take and answer, and the record that each run leaves there.

import { z } from 'zod';
import type { ObjectFault } from './results.ts';

/** Which segments are opened: those whose turn it is, every one, or none (digests alone). */
export const verifySamples = ['due', 'all', 'none'] as const;
export type VerifySample = (typeof verifySamples)[number];

/** A manifest that follows another which is not there, or is another than the one that was. */
export interface ChainGap {
  readonly bundle: string;
  readonly predecessor: string;
  readonly what: 'missing' | 'changed';
}

/** How much of what lies in the store has been opened, by when. */
export interface Coverage {
  readonly segments: number;
  /** Of these, opened and right within `withinMs`. */
  readonly opened: number;
  readonly withinMs: number;
  /** When the one that waits longest was opened; null while one never was. */
  readonly oldestOpenedAt: string | null;
  /** Segments of the lane's newest files by component, which can be compared with the lane. */
  readonly comparable: number;
  /** Of these, compared within `withinMs`. */
  readonly compared: number;
  /** When the one that waits longest was compared; null while one never was. */
  readonly oldestComparedAt: string | null;
}

export interface VerifyResult {
  readonly lane: string;
  readonly store: string;
  readonly bundles: number;
  /** Each segment once, however many bundles share it. */
  readonly segments: number;
  readonly opened: number;
  /** Whose digests were compared with their index. */
  readonly members: number;
  readonly readBytes: number;
  readonly databases: CheckedDatabases;
  readonly live: LaneComparison;
  readonly faults: readonly ObjectFault[];
  readonly gaps: readonly ChainGap[];
  readonly coverage: Coverage;
  readonly elapsedMs: number;
}

export interface CheckedDatabases {
  readonly checked: number;
  /** For which the worker has no room in memory; the lane's report names them. */
  readonly tooLarge: number;
  /** Where these are, at most limits.uncheckedShown. */
  readonly unchecked: readonly UncheckedDatabase[];
  /** Sound, with rows whose foreign key leads nowhere: so the gateway left them, it is told and no fault of the bundle. */
  readonly dangling: number;
}

export interface UncheckedDatabase {
  readonly bundle: string;
  readonly segment: string;
  readonly sizeBytes: number;
}

/** A sample of the newest bundles' files, compared with those on the lane. */
export interface LaneComparison {
  /** `silent`: the lane did not answer. `skipped`: no bundle, or only digests were asked for. */
  readonly state: 'compared' | 'silent' | 'skipped';
  /** Files that have size and time of the bundle, whose bytes were read on the lane. */
  readonly compared: number;
  /** Changed or gone since: nothing can be said of them. */
  readonly changed: number;
  /** Of those compared, the ones with other bytes: a medium that rots, or a hand that hides. The lane's report names them. */
  readonly different: number;
}

export interface InStore {
  readonly fleet: string;
  readonly lane: string;
  readonly store: string;
}

export interface VerifyRequest extends InStore {
  /** None: every bundle of the lane. */
  readonly bundle?: string | undefined;
  readonly sample: VerifySample;
  readonly withinMs: number;
}

/** Segments of one bundle that are read in one step. */
export interface VerifyBatch {
  readonly bundle: string;
  readonly segments: readonly string[];
  /** Of these, the ones to open. */
  readonly open: readonly string[];
  readonly sealedBytes: number;
}

/** Segments of one bundle whose files are compared with those on the lane in one step. */
export interface CompareBatch {
  readonly bundle: string;
  readonly segments: readonly string[];
  readonly plainBytes: number;
}

export interface CompareRequest extends InStore {
  /** None: nothing is compared, names are told. */
  readonly bundle: string | null;
  readonly segments: readonly string[];
  /** Whose names the lane's report gets. */
  readonly faults: readonly ObjectFault[];
  readonly unchecked: readonly UncheckedDatabase[];
}

export interface VerifyPlan {
  readonly bundles: number;
  /** The newest good one, whose databases are checked. */
  readonly newest: string | null;
  /** Of the copies that are databases in it, as they are stored. */
  readonly databaseBytes: number;
  readonly batches: readonly VerifyBatch[];
  /** Whose turn it is to be compared with the lane. */
  readonly compare: readonly CompareBatch[];
  readonly faults: readonly ObjectFault[];
  readonly gaps: readonly ChainGap[];
}

export interface VerifiedSegments {
  readonly faults: readonly ObjectFault[];
  readonly members: number;
  readonly readBytes: number;
}

/** What a run found out, to be kept. */
export interface VerifyFindings extends InStore {
  /** Names the record: of the form of a bundle id, the same under every retry. */
  readonly run: string;
  readonly withinMs: number;
  readonly opened: readonly { readonly bundle: string; readonly segments: readonly string[] }[];
  readonly compared: readonly { readonly bundle: string; readonly segments: readonly string[] }[];
  readonly bad: readonly { readonly bundle: string; readonly segment: string }[];
}

const suffix = z.string().regex(/^[0-9a-f]{16}$/);

/**
 * A record: all that is known of a lane's segments after a run, by the random part of their keys, so that the newest alone
 * has to be read. It is not signed: who can write to the store can have segments opened later or sent again, no more, for
 * every run compares every digest with the signed manifests.
 */
export const verifyRecordSchema = z.strictObject({
  format: z.literal(1),
  fleet: z.string(),
  lane: z.string(),
  at: z.iso.datetime(),
  opened: z.record(suffix, z.iso.datetime()),
  compared: z.record(suffix, z.iso.datetime()).default({}),
  bad: z.array(suffix),
});
export type VerifyRecord = z.infer<typeof verifyRecordSchema>;
