// Makes the staging tree, private to the lane's user and on the volume of its home, so that swapping is renaming.

import type { HostSteps } from '../../contract/steps.ts';
import { takeFence } from '../../lane/fence.ts';
import { diskOf } from '../../lane/survey.ts';
import { makeFolders } from '../../lane/trees.ts';
import type { Deps } from '../deps.ts';
import { clawbackDirectory, stageDirectory } from '../lane-paths.ts';
import { activity, fenceOf, reach } from '../step.ts';
import { requireRoom } from './require-room.ts';

export function openStageStep(deps: Deps): HostSteps['openStage'] {
  return activity(async ({ target, fence: step, restore, neededBytes }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    const { freeBytes } = await diskOf(shell, target.home);
    requireRoom(target.lane, freeBytes, neededBytes);
    const stage = `${target.home}/${clawbackDirectory}/${stageDirectory(restore)}`;
    const places = ['home', 'plists', 'logs'].map((place) => `${stage}/${place}`);
    await makeFolders(shell, places, { fence });
    return fence;
  });
}
