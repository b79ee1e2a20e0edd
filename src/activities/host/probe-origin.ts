// Does the lane's gateway run on the host that it came from? Two gateways with the same channel tokens answer each other's
// messages. The host is looked up in this worker's fleet file; the lane is looked at there as it would be at home.

import type { HostSteps } from '../../contract/steps.ts';
import type { OriginState } from '../../contract/import-types.ts';
import { laneProcesses, readJob } from '../../lane/launchd.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { findPlist } from '../../lane/plists.ts';
import type { Deps } from '../deps.ts';
import { requireProfile } from '../profiles.ts';
import { activity, reach } from '../step.ts';
import { isNoAnswer } from './no-answer.ts';

export function probeOriginStep(deps: Deps): HostSteps['probeOrigin'] {
  return activity(async ({ target, host }, run) => {
    const there = deps.fleet.laneOn(target.lane, host);
    if (!there) return { state: 'unknown' as const };
    try {
      return { state: await stateOn(await reach(deps, there, run)) };
    } catch (error) {
      if (isNoAnswer(error)) return { state: 'unreachable' as const };
      throw error;
    }
  });
}

async function stateOn(shell: LaneShell): Promise<OriginState> {
  const job = await readJob(shell);
  if (job.pid !== undefined || job.loaded || (await laneProcesses(shell)).length > 0) return 'running';
  if (job.disabled) return 'down';
  return (await findPlist(shell, requireProfile(shell.target.profile))) === undefined ? 'down' : 'loadable';
}
