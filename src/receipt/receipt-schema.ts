// The fields of a receipt (docs/receipt-format.md): an in-toto Statement v1 whose predicate is ours. Strict: an unknown
// field is refused, for whoever wrote it meant something by it. All numbers are integers, so that the canonical JSON of
// one receipt is one string.

import { z } from 'zod';
import { failureTable, type FailureCode } from '../domain/failure.ts';
import { gateDayStates, lastGateDay, signingFault } from '../domain/gate.ts';
import { gateLimits } from '../domain/gate-limits.ts';
import { limits } from '../domain/limits.ts';
import { bundleIdPattern, components, lanePattern, tiers } from '../domain/terms.ts';

export const statementType = 'https://in-toto.io/Statement/v1';
/** What the predicate is; the digit changes with its fields' meaning. */
export const predicateType = 'urn:clawback:receipt:v1';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
const text = z.string().min(1).max(200);
const words = z.string().min(1).max(limits.receiptTextLength);
const instant = z.iso.datetime();
const id = z.string().regex(bundleIdPattern);
const run = z.strictObject({ id: z.string().min(1).max(1000), runId: text });
const code = z.enum(Object.keys(failureTable) as [FailureCode, ...FailureCode[]]);

/** A part of the run: one phase, in the order in which they ran; a step may have several. */
const step = z.strictObject({
  step: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  phase: text,
  startedAt: instant,
  endedAt: instant,
  /** Of the whole step, over all its phases; null where it has none. */
  budgetMs: count.nullable(),
  activities: count,
  /** Of all its activities together: as many as there are activities when nothing had to be tried again. */
  attempts: count,
  outcome: z.enum(['passed', 'failed', 'cancelled']),
});

const bundle = z.strictObject({
  bundle: id,
  manifestSha256: sha256,
  tier: z.enum(tiers),
  capturedAt: instant,
  /** What of it was restored. */
  components: z.array(z.enum(components)).min(1),
  /** Is that all that the bundle holds? */
  whole: z.boolean(),
});

const approval = z.strictObject({ by: text, at: instant, statement: words });

/** The 7-day gate of a host. It lies with the receipts of the host's first lane. */
const gate = z.strictObject({
  gate: text,
  lanes: z.array(z.string().regex(lanePattern)).min(1).max(limits.lanesPerFleet),
  /** Null: the calendar's days. Else a demonstration, which proves nothing about a rent. */
  dayLengthMs: count.nullable(),
  timeZone: text.nullable(),
  days: z
    .array(
      z.strictObject({
        day: z.int().min(0).max(lastGateDay),
        action: text,
        passes: words,
        state: z.enum(gateDayStates),
        attempts: count,
        startedAt: instant.nullable(),
        endedAt: instant.nullable(),
        evidence: z.array(words).max(gateLimits.texts),
        failure: code.nullable(),
        message: z.string().max(limits.rowMessageChars).nullable(),
      }),
    )
    .length(lastGateDay + 1),
  archives: z
    .array(z.strictObject({ day: count, lane: text, bundle: id, key: words, manifestSha256: sha256 }))
    .max(4 * limits.lanesPerFleet),
  looks: z.strictObject({ taken: count, expected: count }),
  rearmed: z.array(z.strictObject({ at: instant, why: words })).max(gateLimits.rearmsTold),
});

export const predicateSchema = z.strictObject({
  id,
  kind: z.enum(['restore', 'undo', 'upgrade', 'gate']),
  fleet: text,
  lane: z.string().regex(lanePattern),
  /** hostKey: `SHA256:…`, as ssh-keygen -l prints it. */
  host: z.strictObject({ name: text, region: text, hostKey: z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/) }),
  workflow: z.strictObject({ ...run.shape, section: run }),
  restore: z.strictObject({
    into: z.enum(['live', 'sandbox']),
    only: z.enum(components).nullable(),
    layered: z.boolean(),
  }),
  bundles: z.array(bundle).max(limits.receiptBundles),
  gate: z.exactOptional(gate),
  versions: z.strictObject({
    clawback: text,
    profile: text,
    /** As the newest bundle has it, and as the lane had it before. */
    openclaw: z.strictObject({ bundle: text.nullable(), lane: text.nullable() }),
    os: text.nullable(),
  }),
  startedAt: instant,
  endedAt: instant,
  steps: z.array(step).max(limits.receiptSteps),
  rto: z.strictObject({
    /** From the section's start to the answered test message, else to the end. */
    ms: count,
    budgetMs: count,
    /** Before that, for another operation to leave the lane. */
    waitingMs: count,
    over: z.array(text).max(limits.receiptSteps),
  }),
  rpo: z
    .array(
      z.strictObject({
        dataClass: z.union([z.literal(1), z.literal(2)]),
        bundle: id,
        capturedAt: instant,
        ms: z.int(),
      }),
    )
    .max(2),
  clocks: z.strictObject({ hostOffsetMs: z.int().nullable() }),
  messageAnswered: z.boolean(),
  outcome: z.enum(['passed', 'failed']),
  /** Null when it passed. */
  failure: code.nullable(),
  /** `restored`: as the bundles have it. `as-before`: as before this run. `undone`: as before the last restore. `upgraded`: as the upgrade left it. */
  laneAfter: z.enum(['restored', 'as-before', 'undone', 'upgraded', 'unsettled']),
  approvals: z.array(approval).max(limits.receiptSteps),
  warnings: z.array(words).max(limits.receiptWarnings),
  /** Why it is worth less than it says. */
  disclaimers: z.array(words).max(limits.receiptWarnings),
});

interface StatementParts<T extends string, P extends z.ZodType> {
  readonly type: T;
  readonly predicate: P;
  /** Of a subject's name. */
  readonly name: z.ZodString;
  readonly mostSubjects: number;
}

/** The statement round a predicate: about manifests of bundles, or the fleet file where there is none, for in-toto wants a subject. */
export function statementOf<T extends string, P extends z.ZodType>(parts: StatementParts<T, P>) {
  return z.strictObject({
    _type: z.literal(statementType),
    subject: z
      .array(z.strictObject({ name: parts.name, digest: z.strictObject({ sha256 }) }))
      .min(1)
      .max(parts.mostSubjects),
    predicateType: z.literal(parts.type),
    predicate: parts.predicate,
  });
}

export const statementSchema = statementOf({
  type: predicateType,
  predicate: predicateSchema,
  name: text,
  mostSubjects: limits.receiptBundles,
});

export type Statement = z.infer<typeof statementSchema>;
export type Receipt = z.infer<typeof predicateSchema>;
export type ReceiptStep = Receipt['steps'][number];

/**
 * What contradicts itself in a receipt that has every field; undefined when nothing does.
 * @returns `field: what is wrong`
 */
export function statementFault({ subject, predicate }: Statement): string | undefined {
  const { bundles, outcome, failure, messageAnswered, kind, restore, startedAt, endedAt } = predicate;
  const named = bundles.map(({ bundle: name, manifestSha256 }) => `${name} ${manifestSha256}`);
  const subjects = subject.map(({ name, digest }) => `${name} ${digest.sha256}`);
  const passed = outcome === 'passed';
  if (named.length > 0 && named.join() !== subjects.join()) return 'subject: not the manifests of predicate.bundles';
  if (passed !== (failure === null)) return `predicate.failure: ${failure} beside the outcome ${outcome}`;
  const answers = kind === 'undo' || restore.into === 'live';
  if (passed && answers && !messageAnswered) return 'predicate.outcome: passed without an answered message';
  if ((kind === 'gate') !== (predicate.gate !== undefined)) return `predicate.gate: beside the kind ${kind}`;
  if (passed && predicate.gate) return gateFault(predicate.gate);
  if (passed && kind === 'restore' && bundles.length === 0) return 'predicate.bundles: none, though it passed';
  return Date.parse(endedAt) < Date.parse(startedAt) ? 'predicate.endedAt: before its start' : undefined;
}

/** A passed gate has every day passed; nothing but a signature could pass the last. */
function gateFault({ days }: z.infer<typeof gate>): string | undefined {
  const last = days[lastGateDay]?.state === 'passed';
  const before = days.map(({ day, state }) => ({ day, state: day === lastGateDay ? ('running' as const) : state }));
  const fault = last ? signingFault(before) : 'day 7 has not passed';
  return fault === undefined ? undefined : `predicate.gate.days: passed, though ${fault}`;
}
