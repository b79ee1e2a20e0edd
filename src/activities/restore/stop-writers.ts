// Step 1 of a restore: opens the journal, tells launchd to keep the gateway down (also over a reboot), and
// proves that no process of the lane's gateway is left.

import type { Journal } from '../../contract/journal.ts';
import type { HostSteps } from '../../contract/steps.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { keepRoom } from '../../lane/ballast.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import { checkHealth } from '../../lane/gateway.ts';
import { laneProcesses, readJob, stopJob } from '../../lane/launchd.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { nextLookMs, pause } from '../../lane/pause.ts';
import { stageDirectory } from '../lane-paths.ts';
import { requireProfile } from '../profiles.ts';
import { activity, fenceOf, reach, type Run } from '../step.ts';
import type { Deps } from '../deps.ts';
import { openJournal, saveJournal } from './journal-file.ts';
import { lookLast } from './last-look.ts';

export function stopWritersStep(deps: Deps): HostSteps['stopWriters'] {
  return activity(async ({ target, fence: step, restore }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    await openNewJournal(shell, restore, { fence, signal: run.signal });
    try {
      await keepDown(shell, fence, run);
    } catch (error) {
      throw run.attempt < stopTries || !isFailure(error, 'GatewayWouldNotStop') ? error : givenUp(error);
    }
  });
}

/** Each waits limits.bootoutMs (40 s) and up to 5 s: with these the step's budget of 5 minutes is over. */
const stopTries = 6;

/** Not tried again: the gateway is down meanwhile, nothing has been replaced, and it is started as it was. */
function givenUp({ message, context }: Failure): Failure {
  return new Failure('RestoreFailed', `${message}; given up after ${stopTries} tries`, context);
}

/** A repeated attempt finds its own journal and keeps it: how the gateway was found is known only once. */
async function openNewJournal(
  shell: LaneShell,
  restore: string,
  { fence, signal }: { readonly fence: Fence; readonly signal: AbortSignal },
): Promise<void> {
  const present = await openJournal(shell);
  // something may have been staged since
  if (present?.restore === restore) return lookLast(shell, restore);
  if (present) {
    throw new Failure(
      'LaneUnsettled',
      `lane ${shell.target.lane} still has the journal of restore ${present.restore}`,
      { lane: shell.target.lane },
    );
  }
  await lookLast(shell, restore);
  await keepRoom(shell, stageDirectory(restore), { fence });
  const before = await foundGateway(shell, signal);
  await saveJournal(
    shell,
    {
      format: 1,
      restore,
      epoch: Math.floor(Date.now() / 1000),
      phase: 'open',
      before,
      renames: [],
      plist: null,
      items: [],
      replaced: null,
    },
    fence,
  );
}

/** A busy machine may leave one probe without an answer; a gateway that exits at its start has another pid, or none, after these. */
const healthProbes = 3;
const betweenProbesMs = 1_000;

/** Healthy is also one process that was there all the while: on the way back it must run again, not fail in silence. */
async function foundGateway(shell: LaneShell, signal: AbortSignal): Promise<Journal['before']> {
  const profile = requireProfile(shell.target.profile);
  const { loaded, disabled, pid } = await readJob(shell);
  for (let probe = 1; ; probe += 1) {
    if (await checkHealth(shell, profile)) return { loaded, disabled, healthy: true };
    if (pid === undefined || probe === healthProbes) break;
    await pause(betweenProbesMs, signal);
  }
  const isThere = pid !== undefined && (await readJob(shell)).pid === pid;
  return { loaded, disabled, healthy: isThere };
}

/** Stops the job and waits until its processes are gone. GatewayWouldNotStop names how many are left. */
export async function keepDown(shell: LaneShell, fence: Fence, run: Pick<Run, 'signal'>): Promise<void> {
  const profile = requireProfile(shell.target.profile);
  await stopJob(shell, { fence, signal: run.signal, verbs: profile.launchctl });
  const deadlineMs = Date.now() + limits.bootoutMs;
  for (let looks = 0; ; looks += 1) {
    const left = await laneProcesses(shell);
    if (left.length === 0) return;
    if (Date.now() > deadlineMs) {
      const pids = left.map(({ pid }) => pid).join(', ');
      throw new Failure(
        'GatewayWouldNotStop',
        `${left.length} processes of lane ${shell.target.lane} are still there: pid ${pids}`,
        { lane: shell.target.lane, count: left.length },
      );
    }
    await pause(nextLookMs(looks), run.signal);
  }
}
