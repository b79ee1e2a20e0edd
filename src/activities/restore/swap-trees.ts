// Step 2 of a restore, its last part: the present trees become `.bak.<epoch>`, the staged ones become live.
// What is renamed stands in the journal before the first rename; which renames are done is seen on disk, so
// a repeated attempt goes on where the last one ended.

import type { Rename } from '../../contract/journal.ts';
import type { HostSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { makeFolder, moveTree, pathsExist } from '../../lane/trees.ts';
import type { Deps } from '../deps.ts';
import { activity, fenceOf, reach } from '../step.ts';
import { installStagedPlist } from './staged-plist.ts';
import { requireJournal } from './journal-file.ts';

export function swapTreesStep(deps: Deps): HostSteps['swapTrees'] {
  return activity(async ({ target, fence: step }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    const journal = await requireJournal(shell);
    for (const rename of journal.renames) await renameOnce(shell, rename, fence);
    if (journal.plist) await installStagedPlist(shell, journal, journal.plist, fence);
  });
}

/** Done: `to` is there and `from` is not. Open: the other way round. Anything else is no state of ours. */
async function renameOnce(shell: LaneShell, rename: Rename, fence: Fence): Promise<void> {
  const { from, to } = await both(shell, rename);
  if (!from && to) return;
  if (!from || to) throw mixed(shell, from && to);
  await move(shell, homePath(shell, rename.from), homePath(shell, rename.to), fence);
}

/**
 * Takes a rename back. Both there means that it had not been made; only `to` means that it had.
 * Called from the last rename to the first.
 */
export async function renameBack(shell: LaneShell, rename: Rename, fence: Fence): Promise<void> {
  const { from, to } = await both(shell, rename);
  if (from || !to) return;
  await move(shell, homePath(shell, rename.to), homePath(shell, rename.from), fence);
}

/** A parent that is gone (a removed stage, a `.bak` not made yet) is made; one that is there is left as it is. */
async function move(shell: LaneShell, from: string, to: string, fence: Fence): Promise<void> {
  const parent = to.slice(0, to.lastIndexOf('/'));
  const [there] = await pathsExist(shell, [parent]);
  if (!there) await makeFolder(shell, parent, { fence });
  await moveTree(shell, from, to, { fence });
}

async function both(shell: LaneShell, { from, to }: Rename): Promise<{ from: boolean; to: boolean }> {
  const [fromThere = false, toThere = false] = await pathsExist(shell, [homePath(shell, from), homePath(shell, to)]);
  return { from: fromThere, to: toThere };
}

export function homePath(shell: LaneShell, relative: string): string {
  return `${shell.target.home}/${relative}`;
}

function mixed(shell: LaneShell, bothThere: boolean): Failure {
  const what = bothThere ? 'both names of a rename exist' : 'neither name of a rename exists';
  return new Failure('LaneUnsettled', `lane ${shell.target.lane}: ${what}, so another program moved trees meanwhile`, { lane: shell.target.lane });
}
