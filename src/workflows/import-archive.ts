// Makes a bundle of an archive of the old scripts: the workflow that operators start.

import { upsertSearchAttributes } from '@temporalio/workflow';
import { ImportArchiveInput } from '../contract/inputs.ts';
import { searchAttributes } from '../contract/names.ts';
import type { ImportResult } from '../contract/results.ts';
import { enterSection, resolveLane } from './enter-section.ts';
import { workflowFailure } from './failures.ts';
import { parseInput } from './input.ts';

export async function importArchive(raw: unknown): Promise<ImportResult> {
  const input = parseInput(ImportArchiveInput, raw);
  const resolved = await resolveLane(input.lane, undefined);
  upsertSearchAttributes([
    { key: searchAttributes.host, value: resolved.host },
    { key: searchAttributes.lane, value: input.lane },
  ]);
  const result = await enterSection({
    lane: input.lane,
    resolved,
    operation: { kind: 'import', archive: input.archive },
    waitMs: input.waitMs ?? resolved.waitForLaneMs,
    cancelsBackup: false,
  });
  if (result.kind !== 'import') throw workflowFailure('Unexpected', `the section answered ${result.kind} to an import`);
  return result.import;
}
