// What a restore renames: whole roots where the bundle holds all of a root, else the root's children that
// belong to the restored components. The rest of the old tree stays where it is.

import { matchesAny } from '../../bundle/globs.ts';
import { bakName, type Rename } from '../../contract/journal.ts';
import type { Profile } from '../../domain/profile.ts';
import type { Component } from '../../domain/terms.ts';

/** Children of each root, live and staged, by name. */
export interface RootChildren {
  readonly root: string;
  readonly live: readonly string[] | undefined;
  readonly staged: readonly string[] | undefined;
}

export interface SwapRequest {
  readonly profile: Profile;
  readonly components: readonly Component[];
  readonly epoch: number;
  /** The staging tree of the home, relative to the home. */
  readonly stage: string;
}

/** The renames in their order: per tree first the old one away, then the staged one in. */
export function swapRenames(roots: readonly RootChildren[], request: SwapRequest): Rename[] {
  return roots.flatMap((root) => (isWhole(root.root, request) ? wholeRoot(root, request) : childrenOf(root, request)));
}

/** Does every component that can lie in this root come from the bundle? */
function isWhole(root: string, { profile, components }: SwapRequest): boolean {
  return componentsIn(root, profile).every((component) => components.includes(component));
}

/** Components whose files lie below a root; what no rule names is `config`. */
export function componentsIn(root: string, profile: Profile): Component[] {
  const ruled = profile.rules.filter(({ prefix }) => prefix.startsWith(`${root}/`));
  const fallsThrough = ruled.some(({ prefix }) => prefix === `${root}/`) ? [] : (['config'] as const);
  return [...new Set([...ruled.map(({ component }) => component), ...fallsThrough])];
}

/** The component of a child of a root. */
function componentOf(path: string, profile: Profile): Component {
  return profile.rules.find(({ prefix }) => `${path}/`.startsWith(prefix))?.component ?? 'config';
}

function wholeRoot({ root, live, staged }: RootChildren, { epoch, stage }: SwapRequest): Rename[] {
  if (!staged) return [];
  const away = live ? [{ from: root, to: bakName(root, epoch) }] : [];
  return [...away, { from: `${stage}/${root}`, to: root }];
}

function childrenOf(
  { root, live = [], staged = [] }: RootChildren,
  { profile, components, epoch, stage }: SwapRequest,
): Rename[] {
  const mine = staged.toSorted().filter((name) => components.includes(componentOf(`${root}/${name}`, profile)));
  return mine.flatMap((name) => {
    const child = `${root}/${name}`;
    const logs = databaseLogs(child, profile).map((log) => log.slice(root.length + 1));
    // the logs first, so that they come back last: after the restored database has gone with its own
    const away = [...logs, name]
      .filter((old) => live.includes(old) && (old === name || !staged.includes(old)))
      .map((old) => ({ from: `${root}/${old}`, to: `${bakName(root, epoch)}/${old}` }));
    return [...away, { from: `${stage}/${child}`, to: child }];
  });
}

/** SQLite's logs beside a database of the profile: they go where it goes, or they would be played into another. */
export function databaseLogs(path: string, { databases }: Profile): string[] {
  if (!matchesAny(Buffer.from(path), databases)) return [];
  return ['-wal', '-shm', '-journal'].map((suffix) => path + suffix);
}

export interface DatabaseSwap {
  readonly profile: Profile;
  readonly renames: readonly Rename[];
  readonly epoch: number;
  readonly stage: string;
  /** Which of the databases and their logs are there, live. */
  readonly live: ReadonlySet<string>;
}

/**
 * Renames of the staged databases that lie in none of the renamed trees: class 2 by their size, they are restored with
 * transcripts although they lie among the configuration.
 */
export function databaseRenames(staged: readonly string[], swap: DatabaseSwap): Rename[] {
  const { profile, renames, epoch, stage, live } = swap;
  const isMoved = (path: string): boolean => renames.some(({ to }) => path === to || path.startsWith(`${to}/`));
  return staged
    .filter((path) => !isMoved(path))
    .flatMap((path) => {
      const away = [...databaseLogs(path, profile), path].filter((name) => live.has(name));
      return [
        ...away.map((name) => ({ from: name, to: name.replace('/', `.bak.${epoch}/`) })),
        { from: `${stage}/${path}`, to: path },
      ];
    });
}
