// What a restore replaced is kept for seven days and until the next good backup (design, "What a restore
// promises"); this runs after a good backup, and removes it when it is old enough. After that there is no undo.

import { bakName, type Journal, undoneName } from '../../contract/journal.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { limits } from '../../domain/limits.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import { removeArchivedJournal } from '../../lane/journal.ts';
import { deleteItem } from '../../lane/keychain-items.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { dropPlistBak } from '../../lane/plists.ts';
import { removeTree } from '../../lane/trees.ts';
import type { Deps } from '../deps.ts';
import { type KeptRestore, keptRestores } from '../restore/journal-file.ts';
import { dropUndone, unlock } from '../restore/rehydrate-secrets.ts';
import { homePath } from '../restore/swap-trees.ts';
import { activity, fenceOf, reach } from '../step.ts';

export function dropOldBaksStep(deps: Deps): VaultSteps['dropOldBaks'] {
  return activity(async ({ target, fence: step }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    const old = (await keptRestores(shell)).filter(isOld);
    // mostly there is none: then nothing is written, and no fence is needed; each removal may be repeated
    if (old.length > 0) await takeFence(shell, fence, run.signal);
    for (const { name, journal } of old) {
      if (journal.phase === 'undo') await dropUndoneParts(deps, shell, journal, fence);
      else await dropReplaced(deps, shell, journal, fence);
      await removeArchivedJournal(shell, name, { fence });
    }
    return { removed: old.length > 0 };
  });
}

function isOld({ since }: KeptRestore): boolean {
  return Date.now() - since * 1000 >= limits.backupTreeKeptMs;
}

async function dropUndoneParts(deps: Deps, shell: LaneShell, journal: Journal, fence: Fence): Promise<void> {
  await removeTree(shell, homePath(shell, undoneName(journal.epoch)), { fence });
  await dropUndone(deps, shell, journal, fence);
}

async function dropReplaced(deps: Deps, shell: LaneShell, journal: Journal, fence: Fence): Promise<void> {
  await dropTrees(shell, journal, fence);
  await dropItems(deps, shell, journal, fence);
  if (journal.plist?.had) await dropPlistBak(shell, { bak: bakName(journal.plist.path, journal.epoch), fence });
}

/** The topmost `.bak.<epoch>` trees that the journal's own renames made, and no other path. */
async function dropTrees(shell: LaneShell, { renames, epoch }: Journal, fence: Fence): Promise<void> {
  const marker = `.bak.${epoch}`;
  const trees = renames
    .filter(({ to }) => to.includes(marker))
    .map(({ to }) => to.slice(0, to.indexOf(marker) + marker.length));
  for (const tree of new Set(trees)) await removeTree(shell, homePath(shell, tree), { fence });
}

async function dropItems(deps: Deps, shell: LaneShell, { items, epoch }: Journal, fence: Fence): Promise<void> {
  if (items.length === 0) return;
  await unlock(deps, shell);
  for (const { service, account } of items)
    await deleteItem(shell, { service: bakName(service, epoch), account }, { fence });
}
