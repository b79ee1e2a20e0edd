// What somebody puts his name to beside the approval of a plan (incident.ts): a step that he did by hand, and a gate. One
// line a fact, so that a person sees what is signed; the run is in it, so that a signature counts once.

interface Said {
  readonly workflowId: string;
  readonly runId: string;
  readonly by: string;
  /** ISO 8601. */
  readonly expires: string;
}

/** The machine that was brought, where the step is to bring one. */
export interface BroughtMachine {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly hostKey?: string | undefined;
}

export interface HandStatement extends Said, BroughtMachine {
  readonly step: string;
  /** What the incident asked for, in its words: they name the host, which the step does not. */
  readonly what: string;
}

/** The bytes that are signed for a step done by hand (UTF-8, each line ended). */
export function handText({ step, what, by, expires, ...of }: HandStatement): string {
  return [
    'clawback step by hand v1',
    `incident: ${of.workflowId}`,
    `run: ${of.runId}`,
    `step: ${step}`,
    `asked: ${what}`,
    `address: ${of.address ?? '-'}`,
    `port: ${of.port ?? '-'}`,
    `user: ${of.user ?? '-'}`,
    `host key: ${of.hostKey ?? '-'}`,
    `by: ${by}`,
    `expires: ${expires}`,
    '',
  ].join('\n');
}

/** What a gate has shown before it is signed. */
export interface ShownGate {
  readonly gate: string;
  readonly runId: string;
  readonly host: string;
  readonly dayLengthMs: number | null;
  readonly lanes: readonly string[];
  readonly archives: readonly object[];
  readonly rto: object | null;
  readonly rows: readonly ShownDay[];
}

interface ShownDay {
  readonly day: number;
  readonly state: string;
  readonly attempts: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly evidence: readonly string[];
}

/** The part of a gate's state that a signature is over: all days but the one that is signed, and what they brought. */
export function shownOf({ gate, runId, host, dayLengthMs, lanes, archives, rto, rows }: ShownGate): ShownGate {
  const days = rows.slice(0, -1).map(({ day, state, attempts, startedAt, endedAt, evidence }) => ({
    day,
    state,
    attempts,
    startedAt,
    endedAt,
    evidence,
  }));
  return { gate, runId, host, dayLengthMs, lanes, archives, rto, rows: days };
}

export interface GateStatement extends Said {
  readonly host: string;
  /** SHA-256 of the canonical JSON of what `shownOf` gives. */
  readonly digest: string;
}

/** The bytes that are signed on day 7. */
export function gateText({ workflowId, runId, host, digest, by, expires }: GateStatement): string {
  return [
    'clawback gate v1',
    `gate: ${workflowId}`,
    `run: ${runId}`,
    `host: ${host}`,
    `days: ${digest}`,
    `by: ${by}`,
    `expires: ${expires}`,
    '',
  ].join('\n');
}

/** How whose word it is was seen, as receipts have it. */
export const signatureWords = {
  signed: 'by the SSH signature of an approver',
  stated: "the caller's own statement",
} as const;
