// Incidents: what the five playbooks take, plan, ask and answer. Sizes, ids, times and digests; no name of a file, no
// secret.

import { z } from 'zod';
import type { FailureCode } from '../domain/failure.ts';
import type { ApprovalPolicy, IncidentPhase, PlanCore, Scenario } from '../domain/incident.ts';
import { lanePattern, type Tier } from '../domain/terms.ts';
import type { BundleUse } from './receipt-types.ts';

const name = z.string().regex(lanePattern, 'lower-case letters, digits and inner dashes');
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256, in hex');
const text = (most: number) => z.string().min(1).max(most);
const byName = text(80).regex(/^[^\p{Cc}]+$/u, 'a name on one line');

/** What every playbook takes beside its subject. */
const common = {
  openedBy: z.enum(['operator', 'watch']).default('operator'),
  signal: z
    .strictObject({ code: text(40), since: z.iso.datetime(), text: text(200) })
    .optional()
    .describe('the first signal: RTO is counted from its `since`; none: from the start'),
  dryRun: z.boolean().default(false).describe('plan only; nothing is changed'),
  rehearse: z
    .boolean()
    .default(false)
    .describe('a rehearsal: it is a drill, and fails when it takes longer than the RTO'),
  standby: name.optional().describe('the host that takes the lanes over, as fleet.yaml names it'),
  waitMs: z
    .int()
    .min(0)
    .max(24 * 3600 * 1000)
    .optional()
    .describe(
      'how long to wait for another operation on a lane, in milliseconds; default: waitForLane of the fleet file',
    ),
};

const lane = name.describe('the lane, as fleet.yaml names it');
const host = name.describe('the host, as fleet.yaml names it');

/** What the workflow of each scenario takes. */
export const recoverInputs = {
  'bad-upgrade': z.strictObject({ lane, ...common }),
  'disk-full': z.strictObject({ host, ...common }),
  'cross-write': z.strictObject({ host, lanes: z.array(name).min(2).max(64).optional(), ...common }),
  'region-loss': z.strictObject({ region: name.describe('the region, as fleet.yaml names it'), ...common }),
  'host-loss': z.strictObject({ host, ...common }),
} as const satisfies Record<Scenario, z.ZodType>;

export type RecoverInput<S extends Scenario> = z.infer<(typeof recoverInputs)[S]>;
export type IncidentCommon = z.infer<z.ZodObject<typeof common>>;
export type FirstSignal = NonNullable<IncidentCommon['signal']>;

/** Update `approve`: of exactly the plan that has this digest. */
export const ApproveInput = z.strictObject({
  digest,
  by: byName.describe('who approves; with approvers in the fleet file one of them'),
  waiveFence: z
    .boolean()
    .default(false)
    .describe('go on although the lost host could not be fenced: the receipt says so'),
  expires: z.iso.datetime().optional().describe('with a signature: until when it counts'),
  signature: z
    .string()
    .max(8192)
    .regex(
      /^-----BEGIN SSH SIGNATURE-----\n[A-Za-z0-9+/=\n]+-----END SSH SIGNATURE-----\n?$/,
      'what `ssh-keygen -Y sign` writes',
    )
    .optional(),
});
export type ApproveInput = z.infer<typeof ApproveInput>;

export const DeclineInput = z.strictObject({ by: byName, reason: text(200) });
export type DeclineInput = z.infer<typeof DeclineInput>;

/** Update `handDone`: what somebody did by hand, for a step that has no hook. */
export const HandDoneInput = z.strictObject({
  step: z.string().regex(/^[a-z][a-z-]{0,39}$/),
  by: byName.default('operator'),
  address: text(255).optional(),
  port: z.int().min(1).max(65_535).optional(),
  user: text(63).optional(),
  hostKey: text(800).optional(),
});
export type HandDoneInput = z.infer<typeof HandDoneInput>;

export const ClearedInput = z.strictObject({ at: z.iso.datetime() });
export type ClearedInput = z.infer<typeof ClearedInput>;

/** Names are API. */
export const incidentMessages = {
  approve: 'approve',
  decline: 'decline',
  handDone: 'handDone',
  cleared: 'cleared',
  incident: 'incident',
} as const;

/** How the fleet file wants a scenario handled, and whom it is about. */
export interface IncidentBrief {
  readonly fleet: string;
  readonly fleetDigest: string;
  readonly enabled: boolean;
  readonly approval: ApprovalPolicy;
  readonly remindEveryMs: number;
  /** Names of those whose signature an approval needs; none: anybody's word is taken, and recorded as his own. */
  readonly approvers: readonly string[];
  readonly rtoMs: number;
  readonly rpoMs: number;
  readonly waitForLaneMs: number;
  readonly hasReceiptKey: boolean;
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

/** Somebody's word, as it is recorded. */
export interface RecordedApproval {
  readonly by: string;
  readonly at: string;
  readonly digest: string;
  /** `policy`: the fleet file's `auto`; `signed`: an approver's SSH signature; `stated`: the caller's own statement. */
  readonly how: 'policy' | 'signed' | 'stated';
  readonly waiveFence: boolean;
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

export interface VerifyApproval extends Omit<ApproveInput, 'digest'> {
  readonly fleetDigest: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly digest: string;
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
  /** Is it an approver's? Then how it is to be recorded. ApprovalRefused, FleetChanged. */
  verifyApproval(input: VerifyApproval): Promise<{ readonly how: 'signed' | 'stated' }>;
}
