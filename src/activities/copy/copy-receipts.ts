// Receipts go with the bundles that they prove: with the first store gone, the replica still says which are proven. Copied
// as they are, for whoever reads one checks its signature; created, never overwritten. What is larger than any receipt is
// none, and is not read: whoever put it there shall not end the copies of bundles.

import type { VaultSteps } from '../../contract/steps.ts';
import { isFailure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { receiptsPrefix } from '../../receipt/stored-receipts.ts';
import type { Deps } from '../deps.ts';
import { readWhole } from '../read-whole.ts';
import { activity } from '../step.ts';
import { storedSizes } from '../stored-sizes.ts';

export function copyReceiptsStep(deps: Deps): VaultSteps['copyReceipts'] {
  return activity(async ({ lane, from, to }, { signal }) => {
    const prefixes = [receiptsPrefix(lane)];
    const there = await storedSizes(deps.store(to), prefixes, signal);
    let sentObjects = 0;
    for (const [key, sizeBytes] of await storedSizes(deps.store(from), prefixes, signal)) {
      if (there.has(key) || sizeBytes > limits.receiptBytes) continue;
      const bytes = await readWhole(await deps.store(from).get(key, { signal }));
      try {
        await deps.store(to).put(key, bytes, { signal });
        sentObjects += 1;
      } catch (error) {
        if (!isFailure(error, 'ObjectExists')) throw error;
      }
    }
    return { sentObjects };
  });
}
