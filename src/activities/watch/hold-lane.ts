// Stops a lane's gateway and leaves it stopped: lanes that write into one another go on doing so until all of them are down.

import type { HostSteps } from '../../contract/steps.ts';
import { takeFence } from '../../lane/fence.ts';
import { markHeld } from '../../lane/held.ts';
import { readJob } from '../../lane/launchd.ts';
import type { Deps } from '../deps.ts';
import { keepDown } from '../restore/stop-writers.ts';
import { activity, fenceOf, reach } from '../step.ts';

export function holdLaneStep(deps: Deps): HostSteps['holdLane'] {
  return activity(async ({ target, fence: step, by }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    await markHeld(shell, by, { fence, signal: run.signal });
    const { pid } = await readJob(shell, run.signal);
    await keepDown(shell, fence, run);
    return { ran: pid !== undefined };
  });
}
