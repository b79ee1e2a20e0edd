// Reads and writes the journal on the lane, checked on the way in: a journal that cannot be understood stops
// everything (JournalDamaged), for guessing could mix two trees.

import { Journal } from '../../contract/journal.ts';
import { Failure } from '../../domain/failure.ts';
import type { Fence } from '../../lane/fence.ts';
import {
  archiveJournal,
  listArchivedJournals,
  readArchivedJournal,
  readJournal,
  renameArchivedJournal,
  writeJournal,
} from '../../lane/journal.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';

function parse(shell: LaneShell, value: unknown): Journal {
  const parsed = Journal.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new Failure('JournalDamaged', `the journal of lane ${shell.target.lane} has wrong fields: ${fields}`, {
    lane: shell.target.lane,
  });
}

/** Undefined when no restore is under way or half done. */
export async function openJournal(shell: LaneShell): Promise<Journal | undefined> {
  const value = await readJournal(shell);
  return value === undefined ? undefined : parse(shell, value);
}

/** JournalDamaged when there is none: a step of a restore was called out of its order. */
export async function requireJournal(shell: LaneShell): Promise<Journal> {
  const journal = await openJournal(shell);
  if (journal) return journal;
  throw new Failure('JournalDamaged', `lane ${shell.target.lane} has no journal although a restore is under way`, {
    lane: shell.target.lane,
  });
}

export async function saveJournal(shell: LaneShell, journal: Journal, fence: Fence): Promise<void> {
  await writeJournal(shell, journal, { fence });
}

/**
 * Puts the journal aside under the name of what became of it; `restored` is what `undo` goes back from. An earlier
 * restore's journal stays as `restored-<epoch>`, for it alone says what that restore keeps beside.
 */
export async function closeJournal(shell: LaneShell, outcome: 'restored' | 'rolled-back', fence: Fence): Promise<void> {
  const earlier = outcome === 'restored' ? await lastRestored(shell) : undefined;
  if (earlier) await renameArchivedJournal(shell, { from: 'restored', to: `restored-${earlier.epoch}` }, { fence });
  await archiveJournal(shell, outcome, { fence });
}

/** Journals of committed restores whose replaced trees are still kept, by the names they are archived under. */
export async function keptRestores(shell: LaneShell): Promise<{ readonly name: string; readonly journal: Journal }[]> {
  const names = (await listArchivedJournals(shell)).filter((name) => /^restored(?:-\d+)?$/.test(name));
  const kept = [];
  for (const name of names) kept.push({ name, journal: parse(shell, await readArchivedJournal(shell, name)) });
  return kept;
}

export async function lastRestored(shell: LaneShell): Promise<Journal | undefined> {
  const value = await readArchivedJournal(shell, 'restored');
  return value === undefined ? undefined : parse(shell, value);
}
