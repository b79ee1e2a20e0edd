// Restores one lane, plans a restore (dryRun), or goes back from one (undo).

import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { type Operation, RestoreLaneInput } from '../contract/inputs.ts';
import { searchAttributes } from '../contract/names.ts';
import type { RestoreResult } from '../contract/results.ts';
import { bundleIdOf } from '../domain/terms.ts';
import { type Entry, enterSection, resolveLane } from './enter-section.ts';
import { workflowFailure } from './failures.ts';
import { parseInput } from './input.ts';
import { withVerdict } from './verdict.ts';

export async function restoreLane(raw: unknown): Promise<RestoreResult> {
  const input = parseInput(RestoreLaneInput, raw);
  const resolved = await resolveLane(input.lane, input.fleetDigest);
  upsertSearchAttributes([
    { key: searchAttributes.host, value: resolved.host },
    { key: searchAttributes.lane, value: input.lane },
  ]);
  const live = input.into === 'live' && !input.dryRun;
  const entry: Entry = {
    lane: input.lane,
    resolved,
    operation: operationOf(input),
    waitMs: input.waitMs ?? resolved.waitForLaneMs,
    cancelsBackup: live,
  };
  return withVerdict(
    () => runRestore(entry),
    ({ overBudget }) => (overBudget.length > 0 ? 'over-budget' : 'ok'),
  );
}

async function runRestore(entry: Entry): Promise<RestoreResult> {
  const result = await enterSection(entry);
  if (result.kind === 'restore') return result.restore;
  throw workflowFailure('Unexpected', `the section answered ${result.kind} to a restore`);
}

function operationOf({
  lane: _lane,
  waitMs: _waitMs,
  fleetDigest: _digest,
  undo,
  ...choice
}: RestoreLaneInput): Operation {
  if (undo) return { kind: 'undo' };
  const { startTime, runId } = workflowInfo();
  return {
    kind: 'restore',
    restore: bundleIdOf(startTime.getTime(), runId),
    requestedAt: startTime.toISOString(),
    ...choice,
  };
}
