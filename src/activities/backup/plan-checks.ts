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

/** A backup without class 1 would be believed on the bad day: it is refused. */
export function requireClassOne(
  segments: readonly { readonly component: Component; readonly members: readonly unknown[] }[],
  { target }: PlanRequest,
): void {
  if (segments.some(({ component, members }) => classOf(component) === 1 && members.length > 0)) return;
  throw new Failure('ClassOneEmpty', `lane ${target.lane} has no configuration below its home`, { lane: target.lane });
}
