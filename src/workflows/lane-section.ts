// The critical section of one lane. Its workflow id is the lock: whatever changes a lane runs in here, one at
// a time. It begins by putting right what an earlier, dead section left, and when its operation fails or is
// cancelled it puts its own work right before it ends. Compensation cannot be cancelled.

import { CancellationScope, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { LaneSectionInput, type Operation } from '../contract/inputs.ts';
import { laneSectionId } from '../contract/names.ts';
import type { LaneSpec } from '../contract/lane-spec.ts';
import type { SectionResult, SettleResult } from '../contract/results.ts';
import { assertNever } from '../domain/assert-never.ts';
import { backUp } from './backup.ts';
import { doneDetails } from './details.ts';
import { expire } from './expire.ts';
import { andAlso, codeOf, messageOf, workflowFailure } from './failures.ts';
import { parseInput } from './input.ts';
import { importArchive } from './import.ts';
import { restore } from './restore.ts';
import { prune } from './prune.ts';
import { ProgressBoard, Section } from './section.ts';
import { dropStage } from './stage.ts';
import { host, vault, vaultAlways } from './steps.ts';
import { stop } from './stop.ts';
import { sweep } from './sweep.ts';
import { undo } from './undo.ts';
import { upgrade } from './upgrade.ts';
import { receiptOfFailure, withReceipt, withUpgradeReceipt } from './write-receipt.ts';

export async function laneSection(raw: unknown): Promise<SectionResult> {
  const input = parseInput(LaneSectionInput, raw);
  const progress = new ProgressBoard('reading the lane');
  const spec = await host.describeLane({ lane: input.lane, fleetDigest: input.fleetDigest });
  requireLock(laneSectionId(spec.fleet, spec.lane));
  const section = new Section(narrowed(spec, input.operation), workflowInfo().startTime.getTime(), progress);

  try {
    const settled = await settleFirst(section, input.operation);
    const result = await operate(section, input.operation, settled);
    setCurrentDetails(doneDetails(result));
    return result;
  } catch (error) {
    throw await putRight(section, input.operation, error);
  }
}

/** A run over many lanes leaves each its share of the streams. */
function narrowed(spec: LaneSpec, operation: Operation): LaneSpec {
  const share = 'streams' in operation ? operation.streams : undefined;
  if (share === undefined) return spec;
  return { ...spec, limits: { ...spec.limits, streams: Math.min(share, spec.limits.streams) } };
}

/** The failure to end with, once the lane is right, nothing staged is left, and the receipt says so. */
async function putRight(section: Section, operation: Operation, error: unknown): Promise<unknown> {
  let settled: SettleResult | undefined;
  try {
    if (section.journalled) settled = await settleAfter(section, error);
  } catch (unsettled) {
    await receiptOfFailure(section, operation, unsettled, 'failed');
    return unsettled;
  }
  const cause = await withoutStage(section, error);
  await receiptOfFailure(section, operation, cause, settled);
  return cause;
}

/** A section under any other id would not hold the lock. */
function requireLock(id: string): void {
  const own = workflowInfo().workflowId;
  if (own === id) return;
  throw workflowFailure(
    'InvalidInput',
    `this section must have the workflow id ${id}, not ${own}; start backupLane or restoreLane instead`,
    { workflowId: own },
  );
}

/**
 * What a dead section left is put right before anything else; where a full disk is pruned, only if there is something, for
 * it takes room. Nothing of ours has been stopped yet: a host
 * that does not answer fails the section after its retries, but for a section that was started to settle.
 */
async function settleFirst(section: Section, operation: Operation): Promise<SettleResult> {
  if (operation.kind === 'prune' && (await host.readUnsettled({ target: section.target })) === false)
    return { action: 'nothing', gateway: 'running' };
  const steps = operation.kind === 'settle' ? vaultAlways : vault;
  return section.evidence.part({ step: 'settle', phase: 'putting right what was left' }, () =>
    CancellationScope.nonCancellable(() => steps.settleLane(section.mutating())),
  );
}

async function settleAfter(section: Section, cause: unknown): Promise<SettleResult> {
  section.progress.update({ phase: 'putting the lane right' });
  try {
    return await section.evidence.part({ step: 'settle', phase: 'putting the lane right' }, () =>
      CancellationScope.nonCancellable(() => vaultAlways.settleLane(section.mutating())),
    );
  } catch (error) {
    const { lane } = section.spec;
    const message = `lane ${lane} could not be put right: ${named(error)}; it was to be put right after: ${named(cause)}`;
    throw workflowFailure('LaneUnsettled', message, { lane });
  }
}

function named(error: unknown): string {
  return `${codeOf(error) ?? 'Unexpected'} ${messageOf(error)}`;
}

/** The failure to end with, once nothing staged is left: after settling, which moves staged trees back. */
async function withoutStage(section: Section, cause: unknown): Promise<unknown> {
  try {
    await dropStage(section);
    return cause;
  } catch (error) {
    return andAlso(cause, 'the staging tree was not removed', error);
  }
}

async function operate(section: Section, operation: Operation, settled: SettleResult): Promise<SectionResult> {
  switch (operation.kind) {
    case 'settle':
      return { kind: 'settle', settle: settled };
    case 'backup':
      return { kind: 'backup', backup: await backUp(section, operation) };
    case 'restore':
      return { kind: 'restore', restore: await withReceipt(section, operation, await restore(section, operation)) };
    case 'upgrade':
      return {
        kind: 'upgrade',
        upgrade: await withUpgradeReceipt(section, operation, await upgrade(section, operation)),
      };
    case 'import':
      return { kind: 'import', import: await importArchive(section, operation.archive) };
    case 'undo':
      return { kind: 'restore', restore: await withReceipt(section, operation, await undo(section)) };
    case 'prune':
      return { kind: 'prune', prune: await prune(section) };
    case 'stop':
      return { kind: 'stop', stop: await stop(section, operation.by) };
    case 'sweep':
      return { kind: 'sweep', sweep: await sweep(section, operation.minAgeMs) };
    case 'expire':
      return { kind: 'expire', expire: await expire(section, operation.dryRun) };
    default:
      return assertNever(operation);
  }
}
