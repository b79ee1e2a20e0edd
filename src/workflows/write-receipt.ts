// The receipt at the end of a restore or an undo, passed or failed. What it says is settled here; the vault's worker
// signs and stores it. A receipt that cannot be written costs no restore: it is a warning, as loud as there is.

import { CancellationScope, log, workflowInfo } from '@temporalio/workflow';
import type { Operation } from '../contract/inputs.ts';
import type { RestoreResult, SettleResult } from '../contract/results.ts';
import type { ReceiptRequest } from '../contract/receipt-types.ts';
import type { UpgradeResult } from '../contract/upgrade.ts';
import { limits } from '../domain/limits.ts';
import { bundleIdOf } from '../domain/terms.ts';
import { codeOf, messageOf } from './failures.ts';
import type { Section } from './section.ts';
import { vaultReceipt } from './steps.ts';

type Receiptable = Extract<Operation, { kind: 'restore' | 'undo' | 'upgrade' }>;
type Verdict = Pick<ReceiptRequest, 'outcome' | 'failure' | 'laneAfter'>;

/** Dry runs, and what restores nothing, leave none. */
function leavesReceipt(operation: Operation): operation is Receiptable {
  if (operation.kind === 'restore' || operation.kind === 'upgrade') return !operation.dryRun;
  return operation.kind === 'undo';
}

/** The result, with its receipt's id, or the warning that there is none. */
export async function withReceipt(
  section: Section,
  operation: Operation,
  result: RestoreResult,
): Promise<RestoreResult> {
  if (!leavesReceipt(operation)) return result;
  section.evidence.warnings = result.warnings;
  const written = await write(section, operation, verdictOf(result));
  if ('receipt' in written) return { ...result, receipt: written.receipt };
  return { ...result, receipt: null, warnings: [...result.warnings, written.warning] };
}

export async function withUpgradeReceipt(
  section: Section,
  operation: Operation,
  result: UpgradeResult,
): Promise<UpgradeResult> {
  if (!leavesReceipt(operation)) return result;
  section.evidence.warnings = result.warnings;
  const written = await write(section, operation, { outcome: 'passed', failure: null, laneAfter: 'upgraded' });
  if ('receipt' in written) return { ...result, receipt: written.receipt };
  return { ...result, warnings: [...result.warnings, written.warning] };
}

/** @param settled what putting the lane right did; `failed` when it did not succeed */
export async function receiptOfFailure(
  section: Section,
  operation: Operation,
  cause: unknown,
  settled: SettleResult | 'failed' | undefined,
): Promise<void> {
  if (!leavesReceipt(operation)) return;
  const failure = codeOf(cause) ?? 'Unexpected';
  // nobody is there to sign it, and nothing was done
  if (failure === 'NoPollers' && !section.journalled) return;
  await write(section, operation, {
    outcome: 'failed',
    failure,
    laneAfter: laneAfterFailure(section, operation, settled),
  });
}

const laneAfterAll = { live: 'restored', sandbox: 'as-before', plan: 'as-before', undo: 'undone' } as const;

function verdictOf({ into, messageAnswered }: RestoreResult): Verdict {
  const laneAfter = laneAfterAll[into];
  if (into !== 'sandbox' && !messageAnswered) return { outcome: 'failed', failure: 'MessageUnanswered', laneAfter };
  return { outcome: 'passed', failure: null, laneAfter };
}

function laneAfterFailure(
  section: Section,
  operation: Operation,
  settled: SettleResult | 'failed' | undefined,
): Verdict['laneAfter'] {
  if (settled === 'failed') return 'unsettled';
  if (operation.kind === 'undo')
    return section.evidence.undone || settled?.action === 'rolled-back' ? 'undone' : 'as-before';
  // the journal was open when the commit began: if it is not rolled back now, the commit had taken place
  const stands = section.evidence.committing && settled?.action !== 'rolled-back';
  if (stands || settled?.action === 'went-forward') return 'restored';
  return section.evidence.upgrading ? 'upgraded' : 'as-before';
}

async function write(
  section: Section,
  operation: Receiptable,
  verdict: Verdict,
): Promise<{ readonly receipt: string } | { readonly warning: string }> {
  section.progress.update({ phase: 'writing the receipt' });
  try {
    const request = requestOf(section, operation, verdict);
    return await CancellationScope.nonCancellable(() => vaultReceipt(verdict.outcome).writeReceipt(request));
  } catch (error) {
    const warning = `NO RECEIPT was written, so that this run proves nothing: ${messageOf(error)}`;
    log.warn(warning, { lane: section.spec.lane });
    return { warning };
  }
}

/** An upgrade has nothing to recover, until it goes back. */
function rtoMsOf({ evidence, startedMs }: Section, { kind }: Receiptable): number {
  return evidence.rtoMs ?? (kind === 'upgrade' ? 0 : Date.now() - startedMs);
}

function requestOf(section: Section, operation: Receiptable, verdict: Verdict): ReceiptRequest {
  const { spec, evidence, startedMs, progress } = section;
  const { workflowId, runId, parent } = workflowInfo();
  const own = { id: workflowId, runId };
  const restoring = operation.kind === 'restore' ? operation : undefined;
  const requestedMs = restoring?.requestedAt === undefined ? startedMs : Date.parse(restoring.requestedAt);
  return {
    target: spec.target,
    store: spec.store,
    replica: spec.replica,
    region: spec.region,
    fleetDigest: spec.fleetDigest,
    id: restoring?.restore ?? bundleIdOf(startedMs, runId),
    kind: operation.kind,
    workflow: { ...(parent ? { id: parent.workflowId, runId: parent.runId } : own), section: own },
    restore: {
      into: restoring?.into ?? 'live',
      only: restoring?.only ?? null,
      layered: restoring?.layered ?? false,
    },
    bundles: evidence.bundles,
    openclaw: { bundle: evidence.bundleVersion, lane: evidence.survey?.openclawVersion ?? null },
    os: evidence.survey?.os ?? null,
    hostOffsetMs: evidence.survey?.clockOffsetMs ?? null,
    startedAt: new Date(startedMs).toISOString(),
    endedAt: new Date(Date.now()).toISOString(),
    steps: evidence.steps.slice(0, limits.receiptSteps),
    rto: {
      ms: rtoMsOf(section, operation),
      budgetMs: spec.budgets.rtoMs,
      waitingMs: Math.max(startedMs - requestedMs, 0),
      over: progress.overBudget,
    },
    rpo: evidence.rpo,
    messageAnswered: evidence.messageAnswered,
    warnings: evidence.warnings,
    ...verdict,
  };
}
