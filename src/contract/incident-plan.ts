// What a playbook wants planned, and the plan: what is approved, and then done, exactly. Sizes, ids, times and digests; no
// name of a file, no secret.

import type { ApprovalPolicy, ApprovalStatement, PlanCore, Scenario } from '../domain/incident.ts';
import type { HandStatement, ShownGate } from '../domain/statements.ts';
import type { Tier } from '../domain/terms.ts';
import type { IncidentState, PruneResult } from './incident-state.ts';
import type { BundleUse, RecordedStep } from './receipt-types.ts';
import type { Mutating } from './step-types.ts';

/** How the fleet file wants a scenario handled, and whom it is about. */
export interface IncidentBrief {
  readonly fleet: string;
  readonly fleetDigest: string;
  readonly enabled: boolean;
  readonly approval: ApprovalPolicy;
  readonly remindEveryMs: number;
  /** Names of those whose signature an approval needs; none: anybody's word is taken, and recorded as his own. */
  readonly approvers: readonly string[];
  /** Is there a hook that tells people? */
  readonly alerts: boolean;
  readonly rtoMs: number;
  readonly rpoMs: number;
  readonly waitForLaneMs: number;
  /** `signals.disk.full`, percent: still that full, pruning was not enough. */
  readonly diskFull: number;
  /** Where its receipt goes. */
  readonly receipts: { readonly store: string; readonly replica?: string | undefined };
  /** The lanes on the subject, by the fleet file. */
  readonly lanes: readonly { readonly lane: string; readonly host: string; readonly region: string }[];
  /** Hosts of the subject. */
  readonly hosts: readonly string[];
}

/** What is to be planned for a lane. */
export interface LaneToPlan {
  readonly lane: string;
  readonly toHost?: string | undefined;
  /** This very bundle. */
  readonly bundle?: string | undefined;
  /** Only bundles of these tiers. */
  readonly tiers?: readonly Tier[] | undefined;
  /** Read only the replica: the region of the store is lost. */
  readonly fromReplica?: boolean | undefined;
  /** Class 1 from the newest bundle, class 2 from the newest that has it. */
  readonly layered?: boolean | undefined;
  /** The lane keeps its data: what its newest good bundle is, is told, and none need be there. */
  readonly kept?: boolean | undefined;
}

/** What a playbook wants planned; the activity adds bundles, sizes, estimates and the digest. */
export interface PlanDraft {
  readonly steps: readonly PlannedStep[];
  readonly lanes: readonly LaneToPlan[];
  readonly warnings?: readonly string[];
  /** Of what comes before or beside the restores, ms. */
  readonly fixedMs?: number;
  /** Ask first even where the policy is `auto`, and why; also when one of `kept` lanes has no bundle within the RPO. */
  readonly ask?: string | null;
  readonly asksWithoutBackup?: boolean;
}

export interface PlannedStep {
  /** Lower-case words with dashes. */
  readonly step: string;
  /** One sentence for who approves. */
  readonly what: string;
  readonly lane?: string;
  readonly host?: string;
}

export interface PlannedLane {
  readonly lane: string;
  readonly host: string;
  readonly toHost?: string;
  /** Null only for a lane that keeps its data and has no good bundle. */
  readonly bundle: string | null;
  readonly tier: Tier | null;
  readonly proven: boolean;
  readonly store: string | null;
  readonly sizeBytes: number;
  readonly estimateMs: number;
  /** By class: from its newest capture in the bundle to the first signal. */
  readonly rpo: readonly {
    readonly class: 1 | 2;
    readonly bundle: string;
    readonly capturedAt: string;
    readonly ageMs: number;
  }[];
  /** What is lost by it, a sentence each; none for a lane that keeps its data. */
  readonly lost: readonly string[];
  readonly used: readonly BundleUse[];
  /** Its version in the bundle. */
  readonly openclaw?: string;
}

/** What an incident will do, and what that costs. `digest`: SHA-256 of its canonical JSON (RFC 8785) without `digest`. */
export interface RecoveryPlan extends PlanCore {
  readonly steps: readonly PlannedStep[];
  readonly lanes: readonly PlannedLane[];
  readonly estimatedRtoMs: number;
  readonly rtoBudgetMs: number;
  /** Why it asks although the policy is `auto`. */
  readonly ask: string | null;
  readonly warnings: readonly string[];
  readonly digest: string;
}

export interface PlanRecovery extends PlanDraft {
  readonly scenario: Scenario;
  readonly subject: string;
  readonly fleetDigest: string;
  /** The first signal's, from which ages are counted. */
  readonly since: string;
}

/** What somebody says, and by what it is to be his. */
export interface VerifyApproval {
  /** Of the file whose approvers count; left out: of the one that the worker holds. */
  readonly fleetDigest?: string;
  readonly by: string;
  readonly expires?: string | undefined;
  readonly signature?: string | undefined;
  readonly about: StatementAbout;
}

type Unsaid<T> = Omit<T, 'by' | 'expires'>;

/** An incident's plan, a step that was done by hand, or a gate. */
export type StatementAbout =
  | ({ readonly kind: 'plan' } & Unsaid<ApprovalStatement>)
  | ({ readonly kind: 'hand' } & Unsaid<HandStatement>)
  | { readonly kind: 'gate'; readonly shown: ShownGate };

/** All that the receipt of an incident says but what only its writer knows. */
export interface IncidentReceiptRequest {
  readonly id: string;
  readonly fleetDigest: string;
  readonly store: string;
  /** Takes the receipt when the store does not answer. */
  readonly replica?: string | undefined;
  readonly state: IncidentState;
  readonly steps: readonly RecordedStep[];
}

/** On the queue of short host steps. */
export interface IncidentHostSteps {
  /** Removes class 3, where the profile says that it lies. Opens no journal; may be called again. FenceLost. */
  pruneLane(input: Mutating): Promise<PruneResult>;
}

/** On the vault's queue. */
export interface IncidentSteps {
  /** What the fleet file says about a scenario and its subject. UnknownLane when it has no such subject. */
  briefIncident(input: {
    readonly scenario: Scenario;
    readonly subject: string;
    readonly lanes?: readonly string[] | undefined;
  }): Promise<IncidentBrief>;
  /** Chooses bundles, adds sizes, estimate and digest. Reads only. FleetChanged, NoRestorePoint. */
  planRecovery(input: PlanRecovery): Promise<RecoveryPlan>;
  /** Signs and writes the receipt; may be called again. SecretUnavailable, and what the store throws. */
  writeIncidentReceipt(input: IncidentReceiptRequest): Promise<{ readonly receipt: string }>;
  /** Is it an approver's? Then how it is to be recorded. ApprovalRefused, FleetChanged. */
  verifyApproval(input: VerifyApproval): Promise<{ readonly how: 'signed' | 'stated' }>;
}
