// Expires the bundles of one lane, in the lane's section.

import type { ExpiryResult } from '../contract/expiry.ts';
import { ExpireBundlesInput } from '../contract/inputs.ts';
import { enterSection, resolveLane } from './enter-section.ts';
import { workflowFailure } from './failures.ts';
import { parseInput } from './input.ts';

export async function expireBundles(raw: unknown): Promise<ExpiryResult> {
  const input = parseInput(ExpireBundlesInput, raw);
  const resolved = await resolveLane(input.lane, undefined);
  const result = await enterSection({
    lane: input.lane,
    resolved,
    operation: { kind: 'expire', dryRun: input.dryRun },
    waitMs: input.waitMs ?? resolved.waitForLaneMs,
    cancelsBackup: false,
  });
  if (result.kind !== 'expire') throw workflowFailure('Unexpected', `the section answered ${result.kind} to an expiry`);
  return result.expire;
}
