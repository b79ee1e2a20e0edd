// Incidents: a playbook's run, from its first signal to its end. The words of it, and its pure rules.

export const scenarios = ['bad-upgrade', 'disk-full', 'cross-write', 'region-loss', 'host-loss'] as const;
export type Scenario = (typeof scenarios)[number];

/** What each scenario is about: one lane, one host, or a region with all its hosts. */
export const subjectKinds = {
  'bad-upgrade': 'lane',
  'disk-full': 'host',
  'cross-write': 'host',
  'region-loss': 'region',
  'host-loss': 'host',
} as const satisfies Record<Scenario, 'lane' | 'host' | 'region'>;

export const approvals = ['auto', 'required'] as const;
/** `auto`: the playbook acts alone; `required`: its plan waits for somebody's word. */
export type ApprovalPolicy = (typeof approvals)[number];

/** What moves lanes to other machines, or sets conversations back, asks first (issue 5, "A plan first"). */
export const defaultApproval = {
  'bad-upgrade': 'auto',
  'disk-full': 'auto',
  'cross-write': 'required',
  'region-loss': 'required',
  'host-loss': 'required',
} as const satisfies Record<Scenario, ApprovalPolicy>;

/** Where an incident stands; the last six are its ends. */
export const incidentPhases = [
  'planning',
  'awaiting-approval',
  'recovering',
  'planned',
  'recovered',
  'closed',
  'declined',
  'failed',
  'cancelled',
] as const;
export type IncidentPhase = (typeof incidentPhases)[number];

/** The part of a plan that must be the same when it runs as when it was approved. */
export interface PlanCore {
  readonly scenario: Scenario;
  readonly subject: string;
  readonly fleetDigest: string;
  readonly steps: readonly { readonly step: string; readonly lane?: string; readonly host?: string }[];
  readonly lanes: readonly {
    readonly lane: string;
    readonly host: string;
    readonly toHost?: string;
    readonly bundle: string | null;
    readonly store: string | null;
  }[];
}

/**
 * Why an approved plan is not what would be planned now; undefined when it is the same. Sizes, ages and warnings may
 * differ: they change by the passing of time alone.
 */
export function staleBecause(approved: PlanCore, now: PlanCore): string | undefined {
  if (approved.fleetDigest !== now.fleetDigest) return 'the fleet file has changed';
  const moved = now.lanes.find((lane) => !approved.lanes.some((one) => sameLane(one, lane)));
  if (moved !== undefined || approved.lanes.length !== now.lanes.length)
    return `lane ${moved?.lane ?? 'list'} is planned otherwise now${moved?.bundle ? `: bundle ${moved.bundle}` : ''}`;
  const stepsOf = ({ steps }: PlanCore): string =>
    steps.map(({ step, lane = '', host = '' }) => `${step} ${lane} ${host}`).join('\n');
  return stepsOf(approved) === stepsOf(now) ? undefined : 'its steps have changed';
}

type PlannedLane = PlanCore['lanes'][number];

function sameLane(one: PlannedLane, other: PlannedLane): boolean {
  const keys = ['lane', 'host', 'toHost', 'bundle', 'store'] as const;
  return keys.every((key) => one[key] === other[key]);
}

/** What a signature of an approval is made over: one line a fact, so that a person sees what is signed. */
export interface ApprovalStatement {
  readonly workflowId: string;
  readonly runId: string;
  /** Of the plan. */
  readonly digest: string;
  readonly by: string;
  /** ISO 8601. */
  readonly expires: string;
  /** Go on although the lost host could not be fenced. */
  readonly waiveFence: boolean;
}

/** The namespace of `ssh-keygen -Y sign`: a signature made for anything else counts for nothing here. */
export const approvalNamespace = 'clawback';

/** The bytes that are signed (UTF-8, each line ended). */
export function approvalText(of: ApprovalStatement): string {
  return [
    'clawback approval v1',
    `incident: ${of.workflowId}`,
    `run: ${of.runId}`,
    `plan: ${of.digest}`,
    `by: ${of.by}`,
    `expires: ${of.expires}`,
    `fence: ${of.waiveFence ? 'WAIVED' : 'required'}`,
    '',
  ].join('\n');
}
