// Makes room on a full disk: class 3 of one lane goes, where its profile says. It opens no journal. The disk may be so
// full that not even a fence can be taken: then one kind is removed without, and the fence is taken with the room of that.

import type { HostSteps } from '../../contract/steps.ts';
import { isFailure } from '../../domain/failure.ts';
import type { PruneRule } from '../../domain/profile.ts';
import { usedRatioOf } from '../../domain/quantity.ts';
import { diskOf } from '../../lane/disk.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { type Pruned, pruneTrees } from '../../lane/prune.ts';
import type { Deps } from '../deps.ts';
import { requireProfile } from '../profiles.ts';
import { activity, fenceOf, reach } from '../step.ts';

export function pruneLaneStep(deps: Deps): HostSteps['pruneLane'] {
  return activity(async ({ target, fence: step }, run) => {
    const shell = await reach(deps, target, run);
    const { prunes } = requireProfile(target.profile);
    const { signal } = run;
    const before = await diskOf(shell, target.home);
    const fence = fenceOf(step, run);
    const first = await fenced(shell, { fence, prunes, signal });
    const rest = await pruneTrees(shell, prunes, { fence, signal });
    const after = await diskOf(shell, target.home);
    return {
      lane: target.lane,
      kinds: rest.map((one) => added(one, first)),
      freeBeforeBytes: before.freeBytes,
      freeAfterBytes: after.freeBytes,
      totalBytes: after.totalBytes,
      usedAfterRatio: usedRatioOf(after),
    };
  });
}

interface ToFence {
  readonly fence: Fence;
  readonly prunes: readonly PruneRule[];
  readonly signal: AbortSignal;
}

/** What had to go before the fence could be taken. */
async function fenced(shell: LaneShell, { fence, prunes, signal }: ToFence): Promise<readonly Pruned[]> {
  try {
    await takeFence(shell, fence, signal);
    return [];
  } catch (error) {
    if (!isFailure(error, 'HostCommandFailed')) throw error;
  }
  let gone: readonly Pruned[] = [];
  for (const rule of prunes) {
    gone = await pruneTrees(shell, [rule], { signal });
    if (gone.some(({ sizeBytes }) => sizeBytes > 0)) break;
  }
  await takeFence(shell, fence, signal);
  return gone;
}

function added(one: Pruned, first: readonly Pruned[]): Pruned {
  const same = first.find(({ kind }) => kind === one.kind);
  return same === undefined
    ? one
    : { ...one, trees: Math.max(one.trees, same.trees), sizeBytes: one.sizeBytes + same.sizeBytes };
}
