// Backs one lane up: the workflow that operators and schedules start.

import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { BackupLaneInput } from '../contract/inputs.ts';
import { searchAttributes } from '../contract/names.ts';
import type { BackupResult } from '../contract/results.ts';
import { bundleIdOf } from '../domain/terms.ts';
import { enterSection, resolveLane } from './enter-section.ts';
import { workflowFailure } from './failures.ts';
import { replicateAfter } from './replicate-after.ts';
import { parseInput } from './input.ts';

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
  const result = await enterSection({
    lane: input.lane,
    resolved,
    operation: { kind: 'backup', tier: input.tier, bundle, streams: input.streams },
    waitMs: input.waitMs ?? resolved.waitForLaneMs,
    cancelsBackup: false,
  });
  if (result.kind !== 'backup') throw workflowFailure('Unexpected', `the section answered ${result.kind} to a backup`);
  upsertSearchAttributes([
    { key: searchAttributes.verdict, value: result.backup.suspect.length > 0 ? 'suspect' : 'ok' },
  ]);
  return resolved.replica === undefined ? result.backup : replicateAfter(result.backup, resolved.replica);
}
