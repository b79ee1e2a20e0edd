// Large files come as ranges: once all of a file's ranges are written, its size, mode and times are set.

import type { VaultDataSteps } from '../../contract/steps.ts';
import { finishFiles } from '../../lane/ranges.ts';
import type { Deps } from '../deps.ts';
import { activity, reach } from '../step.ts';
import { openStored } from './open-stored.ts';
import { rangeFile } from './range-file.ts';
import { stageBase } from './stage-segment.ts';

export function finishRangesStep(deps: Deps): VaultDataSteps['finishRanges'] {
  return activity(async ({ target, under, store, restore, segments }, run) => {
    const shell = await reach(deps, target, run);
    for (const segment of segments) {
      const stored = await openStored(deps, {
        fleet: target.fleet,
        lane: target.lane,
        store,
        segment,
        signal: run.signal,
      });
      const { path, sizeBytes, mode, mtimeNs } = rangeFile(await stored.index());
      await finishFiles(shell, {
        base: stageBase(shell, { restore, segment }),
        files: [{ path, sizeBytes, mode, mtimeNs }],
        fence: under,
      });
    }
  });
}
