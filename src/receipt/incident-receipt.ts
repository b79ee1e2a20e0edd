// The receipt of an incident: what was signalled, planned, approved, done, and how long it took; signed like every receipt
// (receipt.ts), with fields of its own. It lies beside those of lanes as `<subject>/receipts/incident-<id>.json`, and
// proves no bundle: the restores that an incident starts have receipts of their own.

import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { Failure, failureTable, type FailureCode } from '../domain/failure.ts';
import { incidentPhases, scenarios } from '../domain/incident.ts';
import { limits } from '../domain/limits.ts';
import { bundleIdPattern, lanePattern, tiers } from '../domain/terms.ts';
import { openEnvelope, signEnvelope } from '../signing/envelope.ts';
import { receiptEnvelope } from './receipt.ts';
import { statementOf, statementType } from './receipt-schema.ts';

export const incidentPredicateType = 'urn:clawback:incident:v1';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
const text = z.string().min(1).max(1000);
const words = z.string().max(limits.receiptTextLength);
const instant = z.iso.datetime();
const bundle = z.string().regex(bundleIdPattern);
const code = z.enum(Object.keys(failureTable) as [FailureCode, ...FailureCode[]]);
const many = <T extends z.ZodType>(of: T) => z.array(of).max(limits.lanesPerFleet);

const lane = z.strictObject({
  lane: text,
  host: text,
  toHost: text.nullable(),
  /** Of the restore or prune that worked on it, which has a receipt of its own where it restored. */
  workflowId: z.string().max(1000).nullable(),
  bundle: bundle.nullable(),
  /** All that the plan takes of bundles: `bundle`, and below it what a layered restore takes class 2 from. */
  bundles: z.array(z.strictObject({ bundle, manifestSha256: sha256, tier: z.enum(tiers) })).max(limits.receiptBundles),
  profile: text.nullable(),
  /** OpenClaw's version in the bundle. */
  openclaw: text.nullable(),
  tier: z.enum(tiers).nullable(),
  proven: z.boolean(),
  store: text.nullable(),
  rpo: z
    .array(z.strictObject({ class: z.union([z.literal(1), z.literal(2)]), bundle, capturedAt: instant, ms: count }))
    .max(2),
  lost: z.array(words).max(8),
  /** What became of it; null where the playbook did not run, or not so far. */
  outcome: z.enum(['recovered', 'attention', 'failed', 'untouched']).nullable(),
  answeredAt: instant.nullable(),
  failure: code.nullable(),
});

const step = z.strictObject({
  step: z.string().regex(/^[a-z][a-z-]{0,39}$/),
  phase: words,
  startedAt: instant,
  endedAt: instant,
  budgetMs: count.nullable(),
  activities: count,
  attempts: count,
  outcome: z.enum(['passed', 'failed', 'cancelled']),
});

export const incidentPredicateSchema = z.strictObject({
  id: bundle,
  kind: z.literal('incident'),
  fleet: text,
  scenario: z.enum(scenarios),
  subject: z.string().regex(lanePattern),
  workflow: z.strictObject({ id: text, runId: text }),
  openedBy: z.enum(['operator', 'watch']),
  rehearsal: z.boolean(),
  signal: z.strictObject({ code: text, since: instant, text: words }).nullable(),
  since: instant,
  startedAt: instant,
  endedAt: instant,
  clearedAt: instant.nullable(),
  plan: z
    .strictObject({
      digest: sha256,
      fleetSha256: sha256,
      estimatedRtoMs: count,
      ask: words.nullable(),
      steps: z
        .array(z.strictObject({ step: text, what: words, lane: text.nullable(), host: text.nullable() }))
        .max(1000),
    })
    .nullable(),
  approval: z
    .strictObject({
      by: text,
      at: instant,
      digest: sha256,
      how: z.enum(['policy', 'signed', 'stated']),
      waiveFence: z.boolean(),
    })
    .nullable(),
  /** What was done by hand, and whose word that is. */
  hands: z
    .array(
      z.strictObject({
        step: text,
        what: words,
        by: text,
        at: instant,
        how: z.enum(['signed', 'stated']),
        address: text.nullable(),
        port: count.nullable(),
        user: text.nullable(),
        hostKey: text.nullable(),
      }),
    )
    .max(limits.receiptSteps),
  declined: z.strictObject({ by: text, reason: words, at: instant }).nullable(),
  /** Those of its lanes and subject, and those that took lanes over. hostKey: `SHA256:…`, as ssh-keygen -l prints it. */
  hosts: z.array(z.strictObject({ name: text, region: text.nullable(), hostKey: text })).max(2 * limits.lanesPerFleet),
  lanes: many(lane),
  steps: z.array(step).max(limits.receiptSteps),
  rto: z.strictObject({
    /** From the first signal to the last answered message; null where not every lane answered. */
    ms: z.int().nullable(),
    budgetMs: count.nullable(),
    over: z.boolean(),
    waitingMs: count,
    provisioningMs: count,
  }),
  /** Disk full: bytes free of each lane's volume, before and after. */
  pruned: many(z.strictObject({ lane: text, freeBeforeBytes: count, freeAfterBytes: count, removedBytes: count })),
  outcome: z.enum(incidentPhases),
  failure: code.nullable(),
  escalation: words.nullable(),
  versions: z.strictObject({ clawback: text }),
  /** The signing worker's clock minus Temporal's, a wait for a slot included. Those of hosts are in their restores' receipts. */
  clocks: z.strictObject({ workerOffsetMs: z.int() }),
  warnings: z.array(words).max(limits.receiptWarnings),
  disclaimers: z.array(words).max(limits.receiptWarnings),
});
export type IncidentReceipt = z.infer<typeof incidentPredicateSchema>;

const statementSchema = statementOf({
  type: incidentPredicateType,
  predicate: incidentPredicateSchema,
  name: text,
  mostSubjects: limits.lanesPerFleet,
});

/** A manifest that the plan names, or the fleet file. */
export interface IncidentSubject {
  readonly name: string;
  readonly sha256: string;
}

/** @param subjects the manifests of the plan's bundles, or the fleet file. InvalidInput naming the field that is wrong */
export function encodeIncidentReceipt(
  receipt: IncidentReceipt,
  subjects: readonly IncidentSubject[],
  privateKeyPem: string,
): Buffer {
  const statement = {
    _type: statementType,
    subject: subjects.map(({ name, sha256: digest }) => ({ name, digest: { sha256: digest } })),
    predicateType: incidentPredicateType,
    predicate: receipt,
  };
  const issue = statementSchema.safeParse(statement).error?.issues[0];
  if (issue !== undefined)
    throw new Failure(
      'InvalidInput',
      `the receipt of an incident cannot be written: ${issue.path.join('.')}: ${issue.message}`,
    );
  return signEnvelope(receiptEnvelope, Buffer.from(canonicalize(statement) as string, 'utf8'), privateKeyPem);
}

export interface OpenedIncident {
  readonly incident: IncidentReceipt;
  /** Of the envelope as it is stored. */
  readonly sha256: string;
}

/** Undefined when it is a receipt of another kind. ReceiptDamaged, ReceiptSignatureBad. */
export function openIncidentReceipt(bytes: Buffer, publicKeysPem: readonly string[]): OpenedIncident | undefined {
  const payload = openEnvelope(receiptEnvelope, bytes, publicKeysPem).toString('utf8');
  const statement = parsed(payload);
  if (typeof statement !== 'object' || statement === null) return undefined;
  if (!('predicateType' in statement) || statement.predicateType !== incidentPredicateType) return undefined;
  const { data, error } = statementSchema.safeParse(statement);
  if (data === undefined)
    throw new Failure('ReceiptDamaged', `the receipt of an incident is wrong at ${error.issues[0]?.path.join('.')}`);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { incident: data.predicate, sha256: digest };
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    throw new Failure('ReceiptDamaged', 'a receipt is signed, but no JSON');
  }
}

/** Beside the subject's other receipts, and told apart from them by its name. InvalidInput for a wrong form. */
export function incidentReceiptKey(subject: string, id: string): string {
  if (lanePattern.test(subject) && bundleIdPattern.test(id)) return `${subject}/receipts/incident-${id}.json`;
  throw new Failure('InvalidInput', 'the subject or id of an incident does not have the form of one');
}
