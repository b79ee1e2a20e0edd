// The commit point of a restore: from here on settling goes forward. The journal is put aside for `undo`.

import type { HostSteps, VaultSteps } from '../../contract/steps.ts';
import { bakName, type Journal, type Rename, undoneName } from '../../contract/journal.ts';
import { Failure } from '../../domain/failure.ts';
import { keepRoom } from '../../lane/ballast.ts';
import { takeFence } from '../../lane/fence.ts';
import { unmarkHeld } from '../../lane/held.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { pathsExist } from '../../lane/trees.ts';
import type { Deps } from '../deps.ts';
import { clawbackDirectory, stageDirectory } from '../lane-paths.ts';
import { activity, fenceOf, reach } from '../step.ts';
import { closeJournal, lastRestored, openJournal, saveJournal } from './journal-file.ts';
import { requireUndoable } from './preflight-restore.ts';
import { homePath } from './swap-trees.ts';

export function commitRestoreStep(deps: Deps): HostSteps['commitRestore'] {
  return activity(async ({ target, fence: step, restore }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    const journal = await openJournal(shell);
    if (journal?.restore !== restore) {
      requireCommitted(await lastRestored(shell), restore, target.lane);
      return unmarkHeld(shell, fence);
    }
    if (journal.phase !== 'committed') await saveJournal(shell, { ...journal, phase: 'committed' }, fence);
    await closeJournal(shell, 'restored', fence);
    await unmarkHeld(shell, fence);
  });
}

/** A repeated attempt after a lost answer finds its journal put aside already; an earlier restore's says nothing of this one. */
function requireCommitted(last: Journal | undefined, restore: string, lane: string): void {
  if (last?.restore === restore) return;
  throw new Failure(
    'JournalDamaged',
    `lane ${lane} has neither an open journal nor a committed one of restore ${restore}`,
    { lane },
  );
}

export function beginUndoStep(deps: Deps): VaultSteps['beginUndo'] {
  return activity(async ({ target, fence: step }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    const present = await openJournal(shell);
    if (present?.phase === 'undo') return { epoch: present.epoch };
    const last = await lastRestored(shell);
    if (!last)
      throw new Failure('NothingToUndo', `lane ${target.lane} has no committed restore whose .bak is kept`, {
        lane: target.lane,
      });
    await requireKept(shell, last);
    // before the journal is turned round: what is refused here leaves the lane settled
    await requireUndoable(deps, shell, last);
    await keepRoom(shell, stageDirectory(last.restore), { fence });
    await saveJournal(shell, turnedRound(last), fence);
    return { epoch: last.epoch };
  });
}

/** Without its `.bak` the way back would take away what is live and put nothing in its place. NothingToUndo. */
async function requireKept(shell: LaneShell, { renames, plist, epoch }: Journal): Promise<void> {
  const isKept = ({ to }: Rename): boolean => to.includes(`.bak.${epoch}`) && !databaseLog.test(to);
  const kept = renames.filter(isKept).map(({ to }) => homePath(shell, to));
  if (plist?.had) kept.push(shell.path(bakName(plist.path, epoch)));
  const gone = (await pathsExist(shell, kept)).filter((there) => !there).length;
  if (gone === 0) return;
  const { lane } = shell.target;
  throw new Failure('NothingToUndo', `${gone} of the ${kept.length} .bak that lane ${lane} would go back to are gone`, {
    lane,
    count: gone,
  });
}

/** Whoever looked into a kept database has made these part of it. */
const databaseLog = /-(?:wal|shm|journal)$/;

/**
 * The journal of a committed restore for the way back. What is live now is not thrown away, for a gateway has written
 * to it since: it goes to `openclaw-undone.<epoch>` instead of the staging tree that it came from.
 */
function turnedRound(journal: Journal): Journal {
  const stage = `${clawbackDirectory}/${stageDirectory(journal.restore)}/`;
  const renames = journal.renames.map(({ from, to }) => {
    if (!from.startsWith(stage)) return { from, to };
    return { from: `${undoneName(journal.epoch)}/${from.slice(stage.length).replace(/^home\//, '')}`, to };
  });
  return { ...journal, phase: 'undo', renames };
}
