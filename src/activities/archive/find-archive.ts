// What an archive's name tells, before a byte of it is read: that it is there, and may be one of this lane.

import type { DataSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import type { LaneTarget } from '../../domain/lane-target.ts';
import { isNamedAfter, type OldArchive, oldArchiveOf } from '../../domain/old-archive.ts';
import type { Deps } from '../deps.ts';
import { activity } from '../step.ts';

export function findArchiveStep(deps: Deps): DataSteps['findArchive'] {
  return activity(async ({ target, archive }, { signal }) => {
    requireNamedAfter(target, archive);
    return { sizeBytes: await deps.archives().source.sizeOf(archive, signal) };
  });
}

/** The script that took one lane names it; names below it are of no account then. @throws ArchiveForeign, InvalidInput */
export function requireNamedAfter(target: LaneTarget, archive: string): OldArchive {
  const told = oldArchiveOf(archive);
  const { lane, user, label } = target;
  if (told.laneWord === undefined || isNamedAfter(told.laneWord, [lane, user, label])) return told;
  throw new Failure(
    'ArchiveForeign',
    `archive ${archive} is by its name of ${told.laneWord}, which is neither lane ${lane} nor its user ${user} nor its job`,
    { lane, key: archive },
  );
}
