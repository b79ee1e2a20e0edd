// The last look before a gateway is stopped: what the swap or the start would refuse later is refused while it still
// runs, with nothing changed; and what was staged reaches the medium, for the commit must not be older than its trees.

import type { Profile } from '../../domain/profile.ts';
import { Failure } from '../../domain/failure.ts';
import { folderChildren } from '../../lane/children.ts';
import { requireOwnVolume, syncVolume } from '../../lane/disk.ts';
import { readLaneFile } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { checkPlist, findPlist } from '../../lane/plists.ts';
import { pathsExist } from '../../lane/trees.ts';
import { clawbackDirectory, stageDirectory } from '../lane-paths.ts';
import { plistCandidates } from '../plist-paths.ts';
import { requireProfile } from '../profiles.ts';
import { stagedPlist } from './staged-plist.ts';

/** TreeUnusable, VersionUnsupported, PlistInvalid. */
export async function lookLast(shell: LaneShell, restore: string): Promise<void> {
  const profile = requireProfile(shell.target.profile);
  await Promise.all([
    requireSwappable(shell, restore, profile),
    requireStartable(shell, restore, profile),
    syncVolume(shell, shell.target.home),
  ]);
}

/** A tree that is replaced must be a folder on the home's volume: a link or a mount point cannot be renamed like one. */
async function requireSwappable(shell: LaneShell, restore: string, { roots }: Profile): Promise<void> {
  const { home } = shell.target;
  const stage = `${home}/${clawbackDirectory}/${stageDirectory(restore)}/home`;
  const staged = await pathsExist(
    shell,
    roots.map((root) => `${stage}/${root}`),
  );
  const beside = ((await folderChildren(shell, stage)) ?? []).filter((name) => !roots.includes(name));
  if (beside.length > 0) throw unplaced(shell, beside.length);
  const replaced = roots.filter((_, at) => staged[at]).map((root) => `${home}/${root}`);
  await requireOwnVolume(shell, home, replaced);
}

/** Of a bundle of another profile: no rename would take them in, and the stage is removed in the end. */
function unplaced({ target }: LaneShell, count: number): Failure {
  const { lane, profile } = target;
  return new Failure(
    'VersionUnsupported',
    `${count} trees of the bundle have no place in profile ${profile} of lane ${lane}`,
    {
      lane,
      count,
    },
  );
}

/** A gateway whose plist is gone runs on, but once stopped nothing could start it: not the restore, not the way back. */
async function requireStartable(shell: LaneShell, restore: string, profile: Profile): Promise<void> {
  for (const path of plistCandidates(shell.target)) {
    const content = await readLaneFile(shell, stagedPlist(restore, path));
    if (content) return checkPlist(shell, profile, content);
  }
  if ((await findPlist(shell, profile)) !== undefined) return;
  const { lane, label } = shell.target;
  throw new Failure('PlistInvalid', `lane ${lane} has no readable plist for ${label}, and the restore brings none`, {
    lane,
  });
}
