// What the fleet file excludes from backups is in no bundle: it is carried over from the old tree into the new
// one, never dropped. So are databases that a bundle without class 2 does not hold, for they may be class 2 by their size.
// Class 3 (caches, node_modules) is rebuilt instead, and stays in `.bak` meanwhile.

import { databaseOf } from '../../bundle/classify.ts';
import { matchesAny } from '../../bundle/globs.ts';
import { bakName, type Rename } from '../../contract/journal.ts';
import { listFiles } from '../../lane/listing.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { pathsExist } from '../../lane/trees.ts';

export interface CarryRequest {
  readonly renames: readonly Rename[];
  readonly exclude: readonly string[];
  /** Globs of databases to keep where none was staged, with what SQLite keeps beside them. */
  readonly databases: readonly string[];
  readonly epoch: number;
  readonly stage: string;
}

interface Kept {
  readonly path: string;
  /** The database that it is, or lies beside. */
  readonly database?: string;
}

/**
 * Renames from the `.bak` trees into the new live ones, of each topmost path to keep whose parent was staged; a bundle
 * may hold the path itself (it is older than the exclusion), or the database that a file lies beside.
 */
export async function carriedOver(shell: LaneShell, request: CarryRequest): Promise<Rename[]> {
  const { renames, exclude, databases, epoch, stage } = request;
  const replaced = renames.filter(({ to }) => to.includes(`.bak.${epoch}`));
  if (exclude.length + databases.length === 0 || replaced.length === 0) return [];
  const kept = await topmostKept(
    shell,
    replaced.map(({ from }) => from),
    request,
  );
  const staged = (path: string): string => `${shell.target.home}/${stage}/${path}`;
  const parents = await pathsExist(
    shell,
    kept.map(({ path }) => staged(path.slice(0, path.lastIndexOf('/')))),
  );
  const held = await pathsExist(
    shell,
    kept.map(({ path, database }) => staged(database ?? path)),
  );
  return kept
    .filter((_, at) => parents[at] && !held[at])
    .map(({ path }) => ({ from: inBak(path, replaced, epoch), to: path }));
}

async function topmostKept(
  shell: LaneShell,
  trees: readonly string[],
  { exclude, databases }: CarryRequest,
): Promise<Kept[]> {
  const top: Kept[] = [];
  for await (const { path, type } of listFiles(shell, { base: shell.target.home, paths: trees })) {
    const name = path.toString('utf8');
    if (top.some((above) => name.startsWith(`${above.path}/`))) continue;
    const database = type === 'file' ? databaseOf(path, databases)?.toString('utf8') : undefined;
    if (database !== undefined) top.push({ path: name, database });
    else if (isExcluded(path, exclude)) top.push({ path: name });
  }
  return top;
}

/** A database that is left out comes with its logs, whose transactions it may not have taken in. */
export function isExcluded(path: Buffer, exclude: readonly string[]): boolean {
  const database = /^(.+)-(?:wal|shm|journal)$/s.exec(path.toString('latin1'))?.[1];
  return matchesAny(path, exclude) || (database !== undefined && matchesAny(Buffer.from(database, 'latin1'), exclude));
}

/** Where a path of the old tree lies once its tree was renamed away. */
function inBak(path: string, replaced: readonly Rename[], epoch: number): string {
  const tree = replaced.find(({ from }) => path === from || path.startsWith(`${from}/`));
  return tree ? tree.to + path.slice(tree.from.length) : bakName(path, epoch);
}
