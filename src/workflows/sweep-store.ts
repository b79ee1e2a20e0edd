// Sweeps one lane's part of the store, in the lane's section.

import { SweepStoreInput } from '../contract/inputs.ts';
import type { SweepResult } from '../contract/results.ts';
import { enterSection, resolveLane } from './enter-section.ts';
import { workflowFailure } from './failures.ts';
import { parseInput } from './input.ts';

export async function sweepStore(raw: unknown): Promise<SweepResult> {
  const input = parseInput(SweepStoreInput, raw);
  const resolved = await resolveLane(input.lane, undefined);
  const result = await enterSection({
    lane: input.lane,
    resolved,
    operation: { kind: 'sweep', minAgeMs: input.minAgeMs },
    waitMs: input.waitMs ?? resolved.waitForLaneMs,
    cancelsBackup: false,
  });
  if (result.kind !== 'sweep') throw workflowFailure('Unexpected', `the section answered ${result.kind} to a sweep`);
  return result.sweep;
}
