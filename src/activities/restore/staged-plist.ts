// The lane's launchd plist in a restore: checked against the profile before root writes it, the old one kept.

import { bakName, type Journal } from '../../contract/journal.ts';
import { Failure } from '../../domain/failure.ts';
import type { Fence } from '../../lane/fence.ts';
import { readLaneFile } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { checkPlist, installPlist, restorePlist } from '../../lane/plists.ts';
import { requireProfile } from '../profiles.ts';
import { stageDirectory } from '../lane-paths.ts';

type Plist = NonNullable<Journal['plist']>;

/** Where a staged plist lies, relative to `~/.clawback`. */
export function stagedPlist(restore: string, absolute: string): string {
  return `${stageDirectory(restore)}/plists${absolute}`;
}

/** Installs it once; a repeated attempt keeps the first `.bak`. PlistInvalid when it is not this lane's. */
export async function installStagedPlist(
  shell: LaneShell,
  journal: Journal,
  plist: Plist,
  fence: Fence,
): Promise<void> {
  const content = await readLaneFile(shell, stagedPlist(journal.restore, plist.path));
  if (!content)
    throw new Failure('PlistInvalid', `the staged plist of lane ${shell.target.lane} is gone`, {
      lane: shell.target.lane,
    });
  checkPlist(shell, requireProfile(shell.target.profile), content);
  await installPlist(shell, {
    path: plist.path,
    content,
    bak: plist.had ? bakName(plist.path, journal.epoch) : undefined,
    fence,
  });
}

/** The old plist back in its place, or the new one gone where there was none. May be repeated. */
export async function takePlistBack(shell: LaneShell, journal: Journal, plist: Plist, fence: Fence): Promise<void> {
  await restorePlist(shell, {
    path: plist.path,
    bak: plist.had ? bakName(plist.path, journal.epoch) : undefined,
    fence,
  });
}
