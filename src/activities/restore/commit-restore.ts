// The commit point of a restore: from here on settling goes forward. The journal is put aside for `undo`.

import type { HostSteps } from '../../contract/steps.ts';
import type { Journal } from '../../contract/journal.ts';
import { Failure } from '../../domain/failure.ts';
import { takeFence } from '../../lane/fence.ts';
import type { Deps } from '../deps.ts';
import { clawbackDirectory, stageDirectory } from '../lane-paths.ts';
import { activity, fenceOf, reach } from '../step.ts';
import { closeJournal, lastRestored, openJournal, saveJournal } from './journal-file.ts';

export function commitRestoreStep(deps: Deps): HostSteps['commitRestore'] {
  return activity(async ({ target, fence: step }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    const journal = await openJournal(shell);
    if (!journal) return requireCommitted(await lastRestored(shell), target.lane);
    if (journal.phase !== 'committed') await saveJournal(shell, { ...journal, phase: 'committed' }, fence);
    await closeJournal(shell, 'restored', fence);
  });
}

/** A repeated attempt after a lost answer finds its journal put aside already. */
function requireCommitted(last: unknown, lane: string): void {
  if (last === undefined)
    throw new Failure('JournalDamaged', `lane ${lane} has neither an open journal nor a committed one`, { lane });
}

export function beginUndoStep(deps: Deps): HostSteps['beginUndo'] {
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
    await saveJournal(shell, turnedRound(last), fence);
    return { epoch: last.epoch };
  });
}

/**
 * The journal of a committed restore for the way back. What is live now is not thrown away, for a gateway has written
 * to it since: it goes to `openclaw-undone.<epoch>` instead of the staging tree that it came from.
 */
function turnedRound(journal: Journal): Journal {
  const stage = `${clawbackDirectory}/${stageDirectory(journal.restore)}/`;
  const renames = journal.renames.map(({ from, to }) => {
    if (!from.startsWith(stage)) return { from, to };
    return { from: `openclaw-undone.${journal.epoch}/${from.slice(stage.length).replace(/^home\//, '')}`, to };
  });
  return { ...journal, phase: 'undo', renames };
}
