// What must be true of a lane's listing before it is worth a bundle: believed on the bad day, it has to be whole.

import { matchesAny } from '../../bundle/globs.ts';
import type { PlanRequest } from '../../contract/step-types.ts';
import { Failure } from '../../domain/failure.ts';
import type { FileEntry } from '../../domain/file-entry.ts';
import { classOf, type Component } from '../../domain/terms.ts';
import type { SharedOptions } from './plan-options.ts';

/** Where a tree should be there may be a link to it: the bundle would hold the link, and look whole. TreeUnusable. */
export function requireTrees(
  entries: readonly Pick<FileEntry, 'path' | 'type'>[],
  { profile, components, exclude }: Pick<SharedOptions, 'profile' | 'components' | 'exclude'>,
  lane: string,
): void {
  const wanted = profile.rules.filter(({ component }) => components.includes(component));
  const trees = new Set(wanted.map(({ prefix }) => prefix.replace(/\/$/, '')));
  const linked = entries.filter(
    ({ path, type }) => type === 'symlink' && trees.has(path.toString('latin1')) && !matchesAny(path, exclude),
  );
  const [link] = linked.map(({ path }) => path.toString('latin1'));
  if (link === undefined) return;
  throw new Failure('TreeUnusable', `lane ${lane}: ~/${link} is a symbolic link, what it leads to would not be saved`, {
    lane,
  });
}

/**
 * A folder that is replaced while it is listed is seen as a link, and its files through it: such a listing is no tree, and
 * no restore would take its bundle. ListingFailed: it is made anew.
 */
export function requireOneTree(entries: readonly Pick<FileEntry, 'path' | 'type'>[], lane: string): void {
  const others = new Set(entries.filter(({ type }) => type !== 'directory').map(({ path }) => path.toString('latin1')));
  const below = entries.filter(({ path }) => {
    const name = path.toString('latin1');
    return others.has(name.slice(0, name.lastIndexOf('/')));
  }).length;
  if (below === 0) return;
  throw new Failure(
    'ListingFailed',
    `lane ${lane}: ${below} file(s) were listed below a name that is no folder: it was replaced meanwhile`,
    { lane, count: below },
  );
}

/** A backup without class 1 would be believed on the bad day: it is refused. */
export function requireClassOne(
  segments: readonly { readonly component: Component; readonly members: readonly unknown[] }[],
  { target }: PlanRequest,
): void {
  if (segments.some(({ component, members }) => classOf(component) === 1 && members.length > 0)) return;
  throw new Failure('ClassOneEmpty', `lane ${target.lane} has no configuration below its home`, { lane: target.lane });
}
