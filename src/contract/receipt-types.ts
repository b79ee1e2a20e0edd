// What a workflow records of its run for the receipt, and hands to the activity that signs it.

import type { FailureCode } from '../domain/failure.ts';
import type { Component, Tier } from '../domain/terms.ts';
import type { ClassRpo } from './results.ts';
import type { OnLane } from './step-types.ts';

/** What a restore takes of one bundle, and which manifest that was. */
export interface BundleUse {
  readonly bundle: string;
  readonly manifestSha256: string;
  readonly tier: Tier;
  readonly capturedAt: string;
  readonly components: readonly Component[];
  /** Is that all that the bundle holds? */
  readonly whole: boolean;
}

/** One part of a run, as its workflow saw it. */
export interface RecordedStep {
  readonly step: string;
  readonly phase: string;
  readonly budgetMs: number | null;
  readonly startedAt: string;
  readonly endedAt: string;
  /** Its activities were scheduled by events of the section's history after the first and up to the second. */
  readonly afterEvent: number;
  readonly untilEvent: number;
  readonly outcome: 'passed' | 'failed' | 'cancelled';
}

/** All that a receipt says but what only its writer knows: versions, attempts, the key's fingerprint. */
export interface ReceiptRequest extends OnLane {
  readonly store: string;
  /** Takes the receipt when the store does not answer. */
  readonly replica?: string | undefined;
  readonly region: string;
  readonly fleetDigest: string;
  readonly id: string;
  readonly kind: 'restore' | 'undo' | 'upgrade';
  readonly workflow: { readonly id: string; readonly runId: string; readonly section: WorkflowRun };
  readonly restore: {
    readonly into: 'live' | 'sandbox';
    readonly only: Component | null;
    readonly layered: boolean;
  };
  readonly bundles: readonly BundleUse[];
  readonly openclaw: { readonly bundle: string | null; readonly lane: string | null };
  readonly os: string | null;
  readonly hostOffsetMs: number | null;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly steps: readonly RecordedStep[];
  readonly rto: {
    readonly ms: number;
    readonly budgetMs: number;
    readonly waitingMs: number;
    readonly over: readonly string[];
  };
  readonly rpo: readonly ClassRpo[];
  readonly messageAnswered: boolean;
  readonly outcome: 'passed' | 'failed';
  readonly failure: FailureCode | null;
  readonly laneAfter: 'restored' | 'as-before' | 'undone' | 'upgraded' | 'unsettled';
  readonly warnings: readonly string[];
}

export interface WorkflowRun {
  readonly id: string;
  readonly runId: string;
}
