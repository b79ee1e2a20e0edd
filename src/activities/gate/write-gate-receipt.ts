// The gate's receipt, signed by the vault and kept with those of the host's first lane. Its bytes follow from the request
// alone, so that an attempt whose predecessor's answer was lost finds its own receipt there.

import type { GateReceiptRequest, GateVaultSteps } from '../../contract/gate-steps.ts';
import type { GateDay } from '../../contract/gate.ts';
import { gateLimits } from '../../domain/gate-limits.ts';
import { formatDuration } from '../../domain/quantity.ts';
import { signatureWords } from '../../domain/statements.ts';
import { encodeReceipt, type Receipt, type ReceiptStep } from '../../receipt/receipt.ts';
import type { Deps } from '../deps.ts';
import { disclaimersOf, hostKeyFingerprint, putReceipt, shortened } from '../receipts/write-receipt.ts';
import { activity } from '../step.ts';

export function writeGateReceiptStep(deps: Deps): GateVaultSteps['writeGateReceipt'] {
  return activity(async (request, run) => {
    const { privateKeyPem } = await deps.keys.receiptSigner();
    const receipt = gateReceipt(request, deps.version);
    const bytes = encodeReceipt(receipt, { privateKeyPem, fleetSha256: request.fleetDigest });
    await putReceipt(deps, request, { receipt, bytes }, run);
    return { receipt: receipt.id };
  });
}

/** A pure function of what the workflow recorded. */
export function gateReceipt(request: GateReceiptRequest, version: string): Receipt {
  const { state, target, id, region, workflow, openclaw } = request;
  const { startedAt, signed, rto, rpo } = state;
  const isSigned = state.phase === 'signed';
  return {
    id,
    kind: 'gate',
    fleet: target.fleet,
    lane: target.lane,
    host: { name: target.host.name, region, hostKey: hostKeyFingerprint(target.host.hostKey) },
    workflow: { ...workflow, section: workflow },
    restore: { into: 'live', only: null, layered: false },
    bundles: [],
    gate: partOf(state),
    versions: { clawback: version, profile: target.profile, openclaw: { bundle: null, lane: openclaw }, os: null },
    startedAt,
    endedAt: state.endedAt ?? startedAt,
    steps: state.rows.flatMap((row) => stepOf(row, budgetOf(row, state))),
    rto: { ms: rto?.ms ?? 0, budgetMs: rto?.budgetMs ?? 0, waitingMs: 0, over: [] },
    rpo: rpo.map(({ dataClass, bundle, capturedAt, ms }) => ({ dataClass, bundle, capturedAt, ms })),
    // a gate that was begun by an older release has not told it
    clocks: { hostOffsetMs: state.clockOffsetMs ?? null },
    messageAnswered: state.rows.find(({ day }) => day === 5)?.state === 'passed',
    outcome: isSigned ? 'passed' : 'failed',
    failure: isSigned ? null : (state.rows.find(({ code }) => code !== null)?.code ?? 'Cancelled'),
    laneAfter: 'as-before',
    approvals: signed ? [{ by: signed.by, at: signed.at, statement: signatureWords[signed.how] }] : [],
    warnings: shortened([
      ...state.warnings,
      ...(state.abandoned ? [`abandoned by ${state.abandoned.by}: ${state.abandoned.reason}`] : []),
    ]),
    disclaimers: [...demonstration(state.dayLengthMs), ...disclaimersOf(request)],
  };
}

function demonstration(dayLengthMs: number | null): string[] {
  if (dayLengthMs === null) return [];
  return [`a demonstration: its days lasted ${formatDuration(dayLengthMs)}, so that it proves nothing about a rent`];
}

function partOf(state: GateReceiptRequest['state']): NonNullable<Receipt['gate']> {
  const { gate, lanes, dayLengthMs, timeZone, rows, archives, looks, rearmed } = state;
  return {
    gate,
    lanes: [...lanes],
    dayLengthMs,
    timeZone,
    days: rows.map(
      ({ day, action, passes, state: standing, attempts, startedAt, endedAt, evidence, code, message }) => ({
        day,
        action,
        passes,
        state: standing,
        attempts,
        startedAt,
        endedAt,
        evidence: [...evidence],
        failure: code,
        message,
      }),
    ),
    archives: archives.map(({ day, lane, bundle, key, manifestSha256 }) => ({
      day,
      lane,
      bundle,
      key,
      manifestSha256,
    })),
    looks,
    rearmed: rearmed.map(({ at, why }) => ({ at, why })),
  };
}

/** The procedure's for a full backup and for the drill; the other days have none. */
function budgetOf({ day }: GateDay, { rto }: GateReceiptRequest['state']): number | null {
  if (day === 4) return gateLimits.fullBackupMs;
  return day === 5 ? (rto?.budgetMs ?? null) : null;
}

/** A day as a step: it was begun and has ended. Its attempts are the day's, not of single activities. */
function stepOf({ day, action, startedAt, endedAt, attempts, state }: GateDay, budgetMs: number | null): ReceiptStep[] {
  if (startedAt === null || endedAt === null) return [];
  const outcome = state === 'passed' || state === 'not-applicable' ? 'passed' : 'failed';
  return [{ step: `day-${day}`, phase: action, startedAt, endedAt, budgetMs, activities: 1, attempts, outcome }];
}
