// The 7-day gate: what `qualifyHost` takes, what it can be told while it runs, and where it stands. Times and counts, no
// secret, no name of a file.

import { z } from 'zod';
import type { FailureCode } from '../domain/failure.ts';
import type { GateArchive, GateDayState, GateIdentity, GatePhase } from '../domain/gate.ts';
import { lastGateDay } from '../domain/gate.ts';
import { gateLimits } from '../domain/gate-limits.ts';
import { lanePattern } from '../domain/terms.ts';
import { signed } from './incidents.ts';

const by = z
  .string()
  .min(1)
  .max(80)
  .regex(/^[^\p{Cc}]+$/u, 'a name on one line');

export const QualifyHostInput = z.strictObject({
  host: z.string().regex(lanePattern, 'a host, as fleet.yaml names it').describe('the host, as fleet.yaml names it'),
  dayLengthMs: z
    .int()
    .min(gateLimits.shortestDayMs)
    .max(24 * 3600 * 1000)
    .optional()
    .describe(
      'days of this length, in milliseconds, for demonstrations: marked in the receipt, which then proves nothing',
    ),
  carried: z
    .custom<GateCarried>((value) => typeof value === 'object' && value !== null)
    .optional()
    .describe('what the run before this one hands over; never given by hand'),
});
export type QualifyHostInput = z.infer<typeof QualifyHostInput>;

/** Update `sign`: on day 7, over no failed day. */
export const SignGateInput = z.strictObject({ by, ...signed });
export type SignGateInput = z.infer<typeof SignGateInput>;

/** Update `retryDay`: a failed day is tried again. */
export const RetryDayInput = z.strictObject({ day: z.int().min(0).max(lastGateDay), by: by.default('operator') });
export type RetryDayInput = z.infer<typeof RetryDayInput>;

/** Update `abandon`: the gate ends unsigned. */
export const AbandonGateInput = z.strictObject({ by: by.default('operator'), reason: z.string().min(1).max(200) });
export type AbandonGateInput = z.infer<typeof AbandonGateInput>;

/** Names are API. */
export const gateMessages = { sign: 'sign', retryDay: 'retryDay', abandon: 'abandon', gate: 'gate' } as const;

export interface GateDay {
  readonly day: number;
  readonly action: string;
  readonly passes: string;
  readonly state: GateDayState;
  readonly attempts: number;
  /** When it is to begin; null while that depends on the days before. */
  readonly dueAt: string | null;
  /** Of the last attempt. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly evidence: readonly string[];
  readonly code: FailureCode | null;
  readonly message: string | null;
  /** What to change, and by how much. */
  readonly advice: readonly string[];
}

/** What the drill of day 5 took, over all lanes by one clock. */
export interface GateRto {
  readonly ms: number;
  readonly budgetMs: number;
}

/** The oldest of all lanes. */
export interface GateRpo {
  readonly dataClass: 1 | 2;
  readonly lane: string;
  readonly bundle: string;
  readonly capturedAt: string;
  readonly ms: number;
}

/** The answer of the query `gate`, and of the workflow when it ends. */
export interface GateState {
  readonly gate: string;
  /** Of the gate's first run: the same over all its days. */
  readonly runId: string;
  readonly fleet: string;
  readonly host: string;
  readonly phase: GatePhase;
  /** The day that it is at. */
  readonly day: number;
  /** What it does just now, in words. */
  readonly doing: string;
  /** Of the first run; a gate that was sent back to day 1 begins anew. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Null: the calendar's days. */
  readonly dayLengthMs: number | null;
  readonly timeZone: string | null;
  readonly lanes: readonly string[];
  readonly rows: readonly GateDay[];
  /** Looks at the disk: how many there are, and how many the window has. */
  readonly looks: { readonly taken: number; readonly expected: number };
  readonly archives: readonly (GateArchive & { readonly day: number })[];
  readonly rto: GateRto | null;
  readonly rpo: readonly GateRpo[];
  /** The host's clock minus the worker's, when the host was looked at last; null before that. */
  readonly clockOffsetMs: number | null;
  /** What sent it back to day 1, newest first. */
  readonly rearmed: readonly { readonly at: string; readonly why: string }[];
  readonly signed: GateSignature | null;
  readonly abandoned: { readonly by: string; readonly at: string; readonly reason: string } | null;
  readonly receipt: string | null;
  readonly warnings: readonly string[];
  /** What an operator types next; null when there is nothing to do but wait. */
  readonly next: string | null;
}

/** `signed`: by an approver's SSH key; `stated`: the caller's own statement. */
export interface GateSignature {
  readonly by: string;
  readonly at: string;
  readonly how: 'signed' | 'stated';
}

/** What a run hands over to the next one. */
export interface GateCarried {
  readonly state: GateState;
  readonly identity: GateIdentity | null;
  /** Of the local day at which days begin. */
  readonly minute: number | null;
  readonly disk: GateDisk | null;
}

/** The looks at the disk so far; null per mille where there was none. */
export interface GateDisk {
  readonly startedAt: string;
  readonly totalBytes: number;
  readonly used: readonly (number | null)[];
}
