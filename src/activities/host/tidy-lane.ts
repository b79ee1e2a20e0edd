// Removes what a run left on the lane: lists and copies of a backup, the staging tree of a restore and the link to a sandbox.

import type { HostSteps } from '../../contract/steps.ts';
import { takeFence } from '../../lane/fence.ts';
import { clawbackFile, removeLaneTree } from '../../lane/lane-files.ts';
import { unlinkSandbox } from '../../lane/sandbox-link.ts';
import type { Deps } from '../deps.ts';
import { runDirectory, stageDirectory } from '../lane-paths.ts';
import { activity, fenceOf, reach } from '../step.ts';

export function tidyLaneStep(deps: Deps): HostSteps['tidyLane'] {
  return activity(async ({ target, fence: step, run: id }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    const dropStage = async (): Promise<void> => {
      await unlinkSandbox(shell, { folder: clawbackFile(shell, stageDirectory(id)), fence });
      await removeLaneTree(shell, stageDirectory(id), { fence });
    };
    await Promise.all([removeLaneTree(shell, runDirectory(id), { fence }), dropStage()]);
  });
}
