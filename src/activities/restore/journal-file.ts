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
 * restore's journal stays as `restored-<epoch>`, and an undone one's as `undone-<seconds>`, for they alone say what is
 * kept beside.
 */
export async function closeJournal(
  shell: LaneShell,
  outcome: 'restored' | 'rolled-back' | 'undone',
  fence: Fence,
): Promise<void> {
  const earlier = outcome === 'restored' ? await lastRestored(shell) : undefined;
  if (earlier) await renameArchivedJournal(shell, { from: 'restored', to: `restored-${earlier.epoch}` }, { fence });
  const name = outcome === 'undone' ? `undone-${Math.floor(Date.now() / 1000)}` : outcome;
  await archiveJournal(shell, name, { fence });
}

export interface KeptRestore {
  /** What its journal is archived under. */
  readonly name: string;
  readonly journal: Journal;
  /** Seconds since the epoch. */
  readonly since: number;
}

/** Journals of restores that still keep something beside: what they replaced, or what was live until they were undone. */
export async function keptRestores(shell: LaneShell): Promise<KeptRestore[]> {
  const kept: KeptRestore[] = [];
  for (const name of await listArchivedJournals(shell)) {
    const [known, undone] = /^(?:restored(?:-\d+)?|undone-(\d+))$/.exec(name) ?? [];
    if (known === undefined) continue;
    const journal = parse(shell, await readArchivedJournal(shell, name));
    kept.push({ name, journal, since: undone === undefined ? journal.epoch : Number(undone) });
  }
  return kept;
}

export async function lastRestored(shell: LaneShell): Promise<Journal | undefined> {
  const value = await readArchivedJournal(shell, 'restored');
  return value === undefined ? undefined : parse(shell, value);
}
