// Where an incident stands, and what became of it.

import type { FailureCode } from '../domain/failure.ts';
import type { IncidentPhase, Scenario } from '../domain/incident.ts';
import type { BroughtMachine } from '../domain/statements.ts';
import type { RecoveryPlan } from './incident-plan.ts';
import type { FirstSignal } from './incidents.ts';
import type { PlacedHost } from './placement.ts';

/** Somebody's word, as it is recorded. */
export interface RecordedApproval {
  readonly by: string;
  readonly at: string;
  readonly digest: string;
  /** `policy`: the fleet file's `auto`; `signed`: an approver's SSH signature; `stated`: the caller's own statement. */
  readonly how: 'policy' | 'signed' | 'stated';
  readonly waiveFence: boolean;
}

/** A step that somebody did by hand, and what he told. */
export interface RecordedHand extends BroughtMachine {
  readonly step: string;
  readonly what: string;
  readonly by: string;
  readonly at: string;
  readonly how: 'signed' | 'stated';
}

/** What became of one lane. */
export interface LaneRecovery {
  readonly lane: string;
  readonly host: string;
  readonly outcome: 'recovered' | 'attention' | 'failed' | 'untouched';
  readonly bundle: string | null;
  /** The workflow that worked on it. */
  readonly workflowId: string | null;
  /** When its test message was answered. */
  readonly answeredAt: string | null;
  readonly remarks: readonly string[];
  readonly code: FailureCode | null;
  readonly message: string | null;
}

/** What was pruned, by kind; bytes as the files occupied them. */
export interface PrunedKind {
  readonly kind: string;
  readonly trees: number;
  readonly sizeBytes: number;
}

export interface PruneResult {
  readonly lane: string;
  readonly kinds: readonly PrunedKind[];
  /** Of the lane's volume, by `df`. */
  readonly freeBeforeBytes: number;
  readonly freeAfterBytes: number;
  readonly totalBytes: number;
  /** 0 to 1, as df's capacity column has it. */
  readonly usedAfterRatio: number;
}

/** What a playbook's run answers. A lane that is not `recovered` makes the incident fail, with what is next. */
export interface IncidentOutcome {
  readonly lanes: readonly LaneRecovery[];
  /** What to do when this was not enough (procedure, "if that is not enough"); null when it was. */
  readonly escalation: string | null;
  readonly remarks: readonly string[];
  /** Disk full: what each lane gave. */
  readonly pruned?: readonly PruneResult[];
  /** Lines to put into fleet.yaml, and the like. */
  readonly followUp?: readonly string[];
}

/** The answer of the query `incident`, and of the workflow when it ends. */
export interface IncidentState {
  readonly incident: string;
  readonly runId: string;
  readonly fleet: string;
  readonly scenario: Scenario;
  readonly subject: string;
  readonly phase: IncidentPhase;
  /** What it does just now, in words. */
  readonly doing: string;
  readonly openedBy: 'operator' | 'watch';
  readonly rehearsal: boolean;
  readonly openedAt: string;
  readonly endedAt: string | null;
  /** RTO counts from here. */
  readonly since: string;
  readonly signal: FirstSignal | null;
  readonly clearedAt: string | null;
  readonly plan: RecoveryPlan | null;
  readonly approvers: readonly string[];
  readonly approval: RecordedApproval | null;
  readonly declined: { readonly by: string; readonly reason: string; readonly at: string } | null;
  readonly reminders: number;
  /** A step that waits for somebody's hand. */
  readonly hand: { readonly step: string; readonly what: string } | null;
  /** Those that were done, in their order. */
  readonly hands: readonly RecordedHand[];
  /** Machines that a hook or somebody brought in the stead of lost ones. */
  readonly brought: readonly PlacedHost[];
  readonly rto: {
    /** From the first signal to the last answered test message; null while, or when, not all lanes answer. */
    readonly ms: number | null;
    readonly budgetMs: number | null;
    readonly over: boolean;
    /** Inside it: for people, and for machines to be provided. */
    readonly waitingMs: number;
    readonly provisioningMs: number;
  };
  readonly outcome: IncidentOutcome | null;
  readonly code: FailureCode | null;
  readonly message: string | null;
  /** What an operator types next; null when there is nothing to do. */
  readonly next: string | null;
  readonly receipt: string | null;
  readonly warnings: readonly string[];
}
