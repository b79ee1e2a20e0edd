// Signs what a run did, and puts it beside the bundles: created, never overwritten. Its bytes follow from the request and
// the section's history alone, so that an attempt whose predecessor's answer was lost finds its own receipt there.

import { createHash } from 'node:crypto';
import type { ReceiptRequest, RecordedStep } from '../../contract/receipt-types.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { encodeReceipt, type Receipt, type ReceiptStep } from '../../receipt/receipt.ts';
import { readReceipt, receiptKey } from '../../receipt/stored-receipts.ts';
import { isSilence, isWorthWaiting } from '../copied-store.ts';
import type { ActivityAttempts, Deps } from '../deps.ts';
import { activity, type Run } from '../step.ts';

export function writeReceiptStep(deps: Deps): VaultSteps['writeReceipt'] {
  return activity(async (request, { signal, attempt }) => {
    const { privateKeyPem } = await deps.keys.receiptSigner();
    const ran = await deps.temporal.activityAttempts(request.workflow.section);
    const receipt = buildReceipt(request, ran, deps.version);
    const bytes = encodeReceipt(receipt, { privateKeyPem, fleetSha256: request.fleetDigest });
    await putReceipt(deps, request, { receipt, bytes }, { signal, attempt });
    return { receipt: receipt.id };
  });
}

/** Into the store, or its replica when that does not answer. One that is there with the same content is this one. */
export async function putReceipt(
  deps: Deps,
  { store, replica }: Pick<ReceiptRequest, 'store' | 'replica'>,
  written: Written,
  { signal, attempt }: Pick<Run, 'signal' | 'attempt'>,
): Promise<void> {
  try {
    await put(deps, store, written, signal);
  } catch (error) {
    // a lane that came back from the replica is not kept waiting for the store that was lost
    if (replica === undefined || !isSilence(error) || isWorthWaiting(error, attempt)) throw error;
    await put(deps, replica, written, signal);
  }
}

interface Written {
  readonly receipt: Receipt;
  readonly bytes: Buffer;
}

async function put(deps: Deps, store: string, { receipt, bytes }: Written, signal: AbortSignal): Promise<void> {
  try {
    await deps.store(store).put(receiptKey(receipt.lane, receipt.id), bytes, { signal });
  } catch (error) {
    if (!isFailure(error, 'ObjectExists')) throw error;
    await requireOwn(deps, store, receipt, signal);
  }
}

/** What an earlier attempt wrote says the same, though perhaps by the key before a rotation. ReceiptDamaged otherwise. */
async function requireOwn(deps: Deps, store: string, receipt: Receipt, signal: AbortSignal): Promise<void> {
  const { fleet, lane, id } = receipt;
  const publicKeysPem = await deps.keys.receiptPublicKeysPem();
  const found = await readReceipt(deps.store(store), id, { fleet, lane, publicKeysPem, signal });
  if (JSON.stringify(sorted(found.receipt)) === JSON.stringify(sorted(receipt))) return;
  throw new Failure('ReceiptDamaged', `store ${store} has another receipt ${id} of lane ${lane}, of other content`, {
    store,
    lane,
  });
}

/** With the fields of every object in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/** A pure function of what the workflow recorded and its history holds. */
export function buildReceipt(request: ReceiptRequest, ran: readonly ActivityAttempts[], version: string): Receipt {
  const { target, id, kind, workflow, restore, bundles, rto, rpo, outcome, failure, laneAfter } = request;
  const { name, hostKey } = target.host;
  return {
    id,
    kind,
    fleet: target.fleet,
    lane: target.lane,
    host: { name, region: request.region, hostKey: hostKeyFingerprint(hostKey) },
    workflow,
    restore,
    bundles: bundles.map((bundle) => ({ ...bundle, components: [...bundle.components] })),
    versions: { clawback: version, profile: target.profile, openclaw: request.openclaw, os: request.os },
    startedAt: request.startedAt,
    endedAt: request.endedAt,
    steps: request.steps.map((step) => receiptStep(step, ran)),
    rto: { ...rto, over: [...rto.over] },
    rpo: rpo.map(({ dataClass, bundle, capturedAt, rpoMs }) => ({ dataClass, bundle, capturedAt, ms: rpoMs })),
    clocks: { hostOffsetMs: request.hostOffsetMs === null ? null : Math.round(request.hostOffsetMs) },
    messageAnswered: request.messageAnswered,
    outcome,
    failure,
    laneAfter,
    approvals: [],
    warnings: shortened(request.warnings),
    disclaimers: disclaimersOf(request),
  };
}

function receiptStep({ afterEvent, untilEvent, ...step }: RecordedStep, ran: readonly ActivityAttempts[]): ReceiptStep {
  const own = ran.filter(({ eventId }) => afterEvent < eventId && eventId <= untilEvent);
  return { ...step, activities: own.length, attempts: own.reduce((sum, { attempts }) => sum + attempts, 0) };
}

/** As `ssh-keygen -l` prints it (RFC 4648 base64 of SHA-256, without padding). */
export function hostKeyFingerprint(hostKey: string): string {
  const blob = Buffer.from(hostKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

export function shortened(warnings: readonly string[]): string[] {
  return [...new Set(warnings)]
    .filter((text) => text !== '')
    .slice(0, limits.receiptWarnings)
    .map((text) => text.slice(0, limits.receiptTextLength));
}

export function disclaimersOf({ target }: Pick<ReceiptRequest, 'target'>): string[] {
  if (target.host.root === '/') return [];
  return [`host ${target.host.name} is a simulated one: its root is not /`];
}
