// Step 2 of a restore, its last part: the present trees become `.bak.<epoch>`, the staged ones become live.
// What is renamed stands in the journal before the first rename; which renames are done is seen on disk, so
// a repeated attempt goes on where the last one ended.

import type { Rename } from '../../contract/journal.ts';
import type { HostSteps } from '../../contract/steps.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { moveTree, pathsExist } from '../../lane/trees.ts';
import type { Deps } from '../deps.ts';
import { requireProfile } from '../profiles.ts';
import { activity, fenceOf, reach } from '../step.ts';
import { installStagedPlist } from './staged-plist.ts';
import { requireJournal } from './journal-file.ts';
import { databaseLogs } from './swap-units.ts';

export function swapTreesStep(deps: Deps): HostSteps['swapTrees'] {
  return activity(async ({ target, fence: step }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    const journal = await requireJournal(shell);
    for (const [at, rename] of journal.renames.entries()) {
      await renameOnce(shell, rename, { later: journal.renames.slice(at + 1), fence });
    }
    if (journal.plist) await installStagedPlist(shell, journal, journal.plist, fence);
  });
}

interface Swap {
  readonly later: readonly Rename[];
  readonly fence: Fence;
}

/**
 * One rename; no error when it is made already. Both names there, or neither, is no state of ours: but for a tree
 * that was renamed away and whose name a later rename has given to the staged one. Its `.bak` is made by nobody else.
 */
async function renameOnce(shell: LaneShell, { from, to }: Rename, { later, fence }: Swap): Promise<void> {
  const comesBack = later.some((next) => next.to === from);
  if (comesBack && (await pathsExist(shell, [homePath(shell, to)]))[0]) return;
  await moveTree(shell, homePath(shell, from), homePath(shell, to), { fence });
}

/**
 * Takes a rename back, and with a database its logs, which the restored gateway may have left. Both there means that it had not been made; only `to` means that it had.
 * Called from the last rename to the first.
 */
export async function renameBack(shell: LaneShell, { from, to }: Rename, fence: Fence): Promise<void> {
  const [fromThere, toThere] = await pathsExist(shell, [homePath(shell, from), homePath(shell, to)]);
  if (fromThere || !toThere) return;
  const logs = databaseLogs(to, requireProfile(shell.target.profile));
  const present = await pathsExist(
    shell,
    logs.map((log) => homePath(shell, log)),
  );
  for (const log of logs.filter((_, at) => present[at]))
    await moveTree(shell, homePath(shell, log), homePath(shell, from + log.slice(to.length)), { fence });
  await moveTree(shell, homePath(shell, to), homePath(shell, from), { fence });
}

export function homePath(shell: LaneShell, relative: string): string {
  return `${shell.target.home}/${relative}`;
}
