// What the fleet file excludes from backups is in no bundle: it is carried over from the old tree into the new
// one, never dropped. Class 3 (caches, node_modules) is rebuilt instead, and stays in `.bak` meanwhile.

import { matchesAny } from '../../bundle/globs.ts';
import { bakName, type Rename } from '../../contract/journal.ts';
import { listFiles } from '../../lane/listing.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { pathsExist } from '../../lane/trees.ts';

export interface CarryRequest {
  readonly renames: readonly Rename[];
  readonly exclude: readonly string[];
  readonly epoch: number;
  readonly stage: string;
}

/** Renames from the `.bak` trees into the new live ones, of each topmost excluded path whose parent was staged; a bundle from before the exclusion may hold the path itself. */
export async function carriedOver(
  shell: LaneShell,
  { renames, exclude, epoch, stage }: CarryRequest,
): Promise<Rename[]> {
  const replaced = renames.filter(({ to }) => to.includes(`.bak.${epoch}`));
  if (exclude.length === 0 || replaced.length === 0) return [];
  const { home } = shell.target;
  const paths = await topmostExcluded(
    shell,
    replaced.map(({ from }) => from),
    exclude,
  );
  const staged = (path: string): string => `${home}/${stage}/${path}`;
  const parents = await pathsExist(
    shell,
    paths.map((path) => staged(path.slice(0, path.lastIndexOf('/')))),
  );
  const held = await pathsExist(shell, paths.map(staged));
  return paths
    .filter((_, at) => parents[at] && !held[at])
    .map((path) => ({ from: inBak(path, replaced, epoch), to: path }));
}

async function topmostExcluded(
  shell: LaneShell,
  trees: readonly string[],
  exclude: readonly string[],
): Promise<string[]> {
  const top: string[] = [];
  for await (const { path } of listFiles(shell, { base: shell.target.home, paths: trees })) {
    const name = path.toString('utf8');
    if (isExcluded(path, exclude) && !top.some((above) => name.startsWith(`${above}/`))) top.push(name);
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
