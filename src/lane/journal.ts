// The lane's journal: what a section has done and is about to do, so that whoever comes next can put things right.
// `~/.clawback/journal/journal.json` in a 0700 folder; temporary file, sync, mv: a writer that dies leaves the old one
// whole. It holds no secret. Finished ones are kept under a name of their own.

import { Failure } from '../domain/failure.ts';
import type { Fence } from './fence-script.ts';
import { clawbackFile, listLaneFiles, readLaneFile, removeLaneTree, syncText, writeLaneFile } from './lane-files.ts';
import type { LaneShell } from './lane-shell.ts';

const folder = 'journal';
const current = `${folder}/journal.json`;
/** Letters, digits and dashes: nothing that could be taken for `fence.…` or `journal.json`. */
const namePattern = /^(?!fence|journal$)[A-Za-z0-9][A-Za-z0-9-]{0,99}$/;

function archived(name: string): string {
  if (!namePattern.test(name))
    throw new Failure('InvalidInput', 'a name of an archived journal is letters, digits and dashes');
  return `${folder}/${name}.json`;
}

function parsed(shell: LaneShell, bytes: Buffer | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    const { lane } = shell.target;
    throw new Failure('JournalDamaged', `lane ${lane}: its journal of ${bytes.length} bytes is not JSON`, {
      lane,
      actualBytes: bytes.length,
    });
  }
}

/** The journal's value, undefined when there is none. @throws JournalDamaged */
export async function readJournal(shell: LaneShell): Promise<unknown> {
  return parsed(shell, await readLaneFile(shell, current));
}

/** Replaces the journal, durably. @throws FenceLost, and what {@link writeLaneFile} throws */
export async function writeJournal(
  shell: LaneShell,
  value: unknown,
  options: { fence: Fence; signal?: AbortSignal },
): Promise<void> {
  await writeLaneFile(shell, current, Buffer.from(`${JSON.stringify(value)}\n`), options);
}

/** `$1` becomes `$2`, durably; a repeated call finds it done. */
const moveText = `${syncText}[ -f "$1" ] || { [ -f "$2" ] && exit 0; exit 1; }
mv -f "$1" "$2" && sync_file "\${2%/*}"
`;

/** Moves the journal to a name of its own. No error when it was moved there already. @throws FenceLost */
export async function archiveJournal(
  shell: LaneShell,
  name: string,
  options: { fence: Fence; signal?: AbortSignal },
): Promise<void> {
  await shell.script(moveText, [clawbackFile(shell, current), clawbackFile(shell, archived(name))], {
    ...options,
    tool: 'archive journal',
  });
}

/** Gives an archived journal another name. No error when it has that name already. @throws FenceLost */
export async function renameArchivedJournal(
  shell: LaneShell,
  names: { readonly from: string; readonly to: string },
  options: { fence: Fence; signal?: AbortSignal },
): Promise<void> {
  const paths = [clawbackFile(shell, archived(names.from)), clawbackFile(shell, archived(names.to))];
  await shell.script(moveText, paths, { ...options, tool: 'rename journal' });
}

/** @throws JournalDamaged */
export async function readArchivedJournal(shell: LaneShell, name: string): Promise<unknown> {
  return parsed(shell, await readLaneFile(shell, archived(name)));
}

/** Names of the archived journals, sorted. */
export async function listArchivedJournals(shell: LaneShell): Promise<string[]> {
  const names = (await listLaneFiles(shell, folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length));
  return names.filter((name) => namePattern.test(name)).toSorted();
}

/** No error when it is absent. @throws FenceLost */
export async function removeArchivedJournal(
  shell: LaneShell,
  name: string,
  options: { fence: Fence; signal?: AbortSignal },
): Promise<void> {
  await removeLaneTree(shell, archived(name), options);
}
