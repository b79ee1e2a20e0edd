// Step 4 of a restore, its first half: launchd may start the gateway again, and does.

import type { HostSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import { checkHealth } from '../../lane/gateway.ts';
import { startJob } from '../../lane/launchd.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { findPlist } from '../../lane/plists.ts';
import type { Deps } from '../deps.ts';
import { requireProfile } from '../profiles.ts';
import { activity, fenceOf, reach } from '../step.ts';

export function startGatewayStep(deps: Deps): HostSteps['startGateway'] {
  return activity(async ({ target, fence: step }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    await start(shell, fence, run.signal);
  });
}

/** Enables and loads the lane's job until it runs; a job that runs already is left alone. PlistInvalid, GatewayWouldNotStart. */
export async function start(shell: LaneShell, fence: Fence, signal: AbortSignal): Promise<void> {
  const profile = requireProfile(shell.target.profile);
  const plistPath = await findPlist(shell, profile);
  if (plistPath === undefined) {
    throw new Failure('PlistInvalid', `lane ${shell.target.lane} has no plist for ${shell.target.label}`, {
      lane: shell.target.lane,
    });
  }
  // what keeps curl from asking keeps no gateway from being started
  const answers = (): Promise<boolean> => checkHealth(shell, profile, { signal }).catch(() => false);
  await startJob(shell, { fence, signal, verbs: profile.launchctl, plistPath, answers });
}
