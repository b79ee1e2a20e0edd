// What a run over many lanes answers, and its progress: a row a lane, and the whole under one clock.

import type { FailureCode } from '../domain/failure.ts';
import type { RestorePlan } from './results.ts';
import type { FleetCaps } from './step-types.ts';

/** `attention`: done, but the bundle is suspect, or the lane came back later than its RTO. */
export const laneOutcomes = ['ok', 'attention', 'failed', 'cancelled'] as const;
export type LaneOutcome = (typeof laneOutcomes)[number];

/** What the lane is after the run. `untouched`: nothing was started on it; `as it was`: it was put right again. */
export type LaneAfter =
  | 'backed up'
  | 'restored'
  | 'restored into a sandbox'
  | 'planned'
  | 'untouched'
  | 'as it was'
  | 'unsettled';

export interface FleetLaneRow {
  readonly lane: string;
  readonly host: string;
  readonly outcome: LaneOutcome;
  readonly after: LaneAfter;
  /** Its own backupLane or restoreLane; null when none was started. */
  readonly workflowId: string | null;
  readonly bundle: string | null;
  /** Of the lane's data in the bundle. */
  readonly sizeBytes: number;
  /** From the start of the run until its own workflow was started. */
  readonly waitedMs: number;
  /** From there until that ended. */
  readonly elapsedMs: number;
  /** Live restores: from the start of the run to the answered test message. */
  readonly rtoMs: number | null;
  /** What wants eyes although it is done: reasons of suspicion, overrun budgets. */
  readonly remarks: readonly string[];
  readonly code: FailureCode | null;
  readonly message: string | null;
  /** Of a dry run. */
  readonly plan?: RestorePlan;
}

/** The room of one volume, as the run saw it before it restored anything. */
export interface VolumeRow {
  readonly host: string;
  readonly volume: string;
  readonly lanes: readonly string[];
  readonly freeBytes: number;
  /** The sum over its lanes: more than is free means one after the other. */
  readonly neededBytes: number;
}

export interface FleetResult {
  readonly kind: 'backup' | 'restore';
  readonly fleet: string;
  /** The fleet file that the run saw: a lane whose worker held another one was refused. */
  readonly fleetDigest: string;
  readonly startedAt: string;
  /** The whole run, by one clock. */
  readonly wallMs: number;
  /**
   * The sum of the lanes' own times: the most that the same work would have taken one lane after the other. Lanes side by
   * side share cores and links, so that each takes longer than it would alone.
   */
  readonly sequenceMs: number;
  /** Live restores of which every lane answers: from the start to the last answered message. */
  readonly rtoMs: number | null;
  readonly rtoBudgetMs: number | null;
  readonly counts: Readonly<Record<LaneOutcome, number>>;
  readonly lanes: readonly FleetLaneRow[];
  readonly volumes: readonly VolumeRow[];
  readonly caps: FleetCaps;
}

export type LanePhase = 'measuring' | 'waiting' | 'running' | LaneOutcome;

/** The answer of the query `progress` of a fleet run. */
export interface FleetProgress {
  readonly phase: string;
  readonly startedAt: string;
  readonly fleetDigest: string | null;
  /** Of live restores. */
  readonly rtoBudgetMs: number | null;
  readonly overBudget: readonly string[];
  readonly lanes: readonly {
    readonly lane: string;
    readonly host: string;
    readonly phase: LanePhase;
    readonly workflowId: string | null;
    readonly code: FailureCode | null;
  }[];
}
