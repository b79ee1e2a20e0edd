// The profile's databases in a staging tree.

import { matchesAny } from '../../bundle/globs.ts';
import type { Profile } from '../../domain/profile.ts';
import { listFiles } from '../../lane/listing.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';

/** @param base the staged home, absolute @returns relative to it */
export async function stagedDatabases(
  shell: LaneShell,
  base: string,
  { roots, databases }: Profile,
): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, type } of listFiles(shell, { base, paths: roots }))
    if (type === 'file' && matchesAny(path, databases)) found.push(path.toString('utf8'));
  return found;
}
