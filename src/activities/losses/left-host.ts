// A host that was lost and comes back: its gateways have twins by now, with the same tokens. It is waited for, and as soon
// as it answers they are stopped and disabled; another machine at its address is left alone. This is done outside a lane's
// section: that one holds the lane where it is now, and may be backing it up for an hour.

import type { HostSteps } from '../../contract/steps.ts';
import { isFailure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { takeFence } from '../../lane/fence.ts';
import { readJob } from '../../lane/launchd.ts';
import { pause } from '../../lane/pause.ts';
import type { Deps } from '../deps.ts';
import { knock } from '../host/knock.ts';
import { isNoAnswer } from '../host/no-answer.ts';
import { keepDown } from '../restore/stop-writers.ts';
import { activity, fenceOf, reach } from '../step.ts';

export function awaitHostStep(deps: Deps): HostSteps['awaitHost'] {
  return activity(async ({ host, waitMs }, { signal }) => {
    const deadlineMs = performance.now() + waitMs;
    for (;;) {
      const state = await askFor(deps, host, signal);
      const leftMs = deadlineMs - performance.now();
      if (state !== 'silent' || leftMs <= 0) return { state };
      await pause(Math.min(limits.lostHostEveryMs, leftMs), signal);
    }
  });
}

type Answer = Awaited<ReturnType<HostSteps['awaitHost']>>['state'];

async function askFor({ fleet, pool }: Deps, host: string, signal: AbortSignal): Promise<Answer> {
  const target = fleet.hostTarget(host);
  if (target === undefined) return 'silent';
  try {
    await knock(pool, target, signal);
    return 'answers';
  } catch (error) {
    signal.throwIfAborted();
    if (isFailure(error, 'HostKeyChanged')) return 'foreign';
    if (isNoAnswer(error)) return 'silent';
    throw error;
  }
}

export function stopLeftStep(deps: Deps): HostSteps['stopLeft'] {
  return activity(async ({ lane, host, startedMs }, run) => {
    const target = deps.fleet.laneOn(lane, host);
    if (target === undefined) return { ran: false };
    const shell = await reach(deps, target, run);
    const { pid } = await readJob(shell, run.signal);
    const fence = fenceOf({ sectionStartMs: startedMs, order: 1 }, run);
    await takeFence(shell, fence, run.signal);
    await keepDown(shell, fence, run);
    return { ran: pid !== undefined };
  });
}
