// Backs one lane up: the workflow that operators and schedules start.

import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { BackupLaneInput } from '../contract/inputs.ts';
import { searchAttributes } from '../contract/names.ts';
import type { BackupResult } from '../contract/results.ts';
import { bundleIdOf } from '../domain/terms.ts';
import { type Entry, enterSection, resolveLane } from './enter-section.ts';
import { workflowFailure } from './failures.ts';
import { replicateAfter } from './replicate-after.ts';
import { parseInput } from './input.ts';
import { withVerdict } from './verdict.ts';

export async function backupLane(raw: unknown): Promise<BackupResult> {
  const input = parseInput(BackupLaneInput, raw);
  const resolved = await resolveLane(input.lane, input.fleetDigest);
  upsertSearchAttributes([
    { key: searchAttributes.host, value: resolved.host },
    { key: searchAttributes.lane, value: input.lane },
    { key: searchAttributes.tier, value: input.tier },
  ]);
  const { startTime, runId } = workflowInfo();
  const bundle = bundleIdOf(startTime.getTime(), runId);
  const entry: Entry = {
    lane: input.lane,
    resolved,
    operation: { kind: 'backup', tier: input.tier, bundle, streams: input.streams },
    waitMs: input.waitMs ?? resolved.waitForLaneMs,
    cancelsBackup: false,
  };
  const backup = await withVerdict(
    () => runBackup(entry),
    ({ suspect }) => (suspect.length > 0 ? 'suspect' : 'ok'),
  );
  return resolved.replica === undefined ? backup : replicateAfter(backup, resolved.replica);
}

async function runBackup(entry: Entry): Promise<BackupResult> {
  const result = await enterSection(entry);
  if (result.kind === 'backup') return result.backup;
  throw workflowFailure('Unexpected', `the section answered ${result.kind} to a backup`);
}
