// Which members changed while they were read: the listing before against a look after. Their records go to the
// lane, for the supplement; only their number leaves it.

import { matchesAny } from '../../bundle/globs.ts';
import { type IndexEntry, pathOf } from '../../bundle/index-file.ts';
import type { SegmentPlan } from '../../contract/results.ts';
import type { Consistency } from '../../contract/step-types.ts';
import { Failure } from '../../domain/failure.ts';
import { type FileEntry, isSameContent, isSameState } from '../../domain/file-entry.ts';
import type { LaneTarget } from '../../domain/lane-target.ts';
import type { Profile } from '../../domain/profile.ts';
import { writeLaneFile } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { statFiles } from '../../lane/listing.ts';
import { clawbackDirectory, memberList, tornRecords } from '../lane-paths.ts';
import { requireProfile } from '../profiles.ts';
import { encodeRecords } from './member-lists.ts';
import { segmentBase } from './segment-base.ts';

export interface ReadSegment {
  readonly bundle: string;
  readonly segment: SegmentPlan;
  readonly consistency: Consistency;
}

/**
 * Looks where the segment was read: in a clone at what changed between the listing and the clone.
 * @returns how many members changed; those that are gone are not among them. PlanLost when a range's file is gone
 */
export async function recordTorn(
  shell: LaneShell,
  { bundle, segment, consistency }: ReadSegment,
  before: readonly FileEntry[],
): Promise<number> {
  if (segment.base === 'copies' || segment.kind === 'directories') return 0;
  const listPath = `${shell.target.home}/${clawbackDirectory}/${memberList(bundle, segment.id)}`;
  const base = segmentBase(shell, { bundle, base: segment.base, consistency });
  const looks = await statFiles(shell, { base, listPath });
  const after = new Map(looks.map((entry) => [entry.path.toString('latin1'), entry]));
  if (segment.kind === 'range' && looks.length < before.length) throw goneSinceListing(shell, segment);
  const profile = requireProfile(shell.target.profile);
  const isSame = consistency === 'cloned' && segment.base === 'home' ? isSameContent : isSameState;
  const torn = before.filter((entry) => {
    const now = after.get(entry.path.toString('latin1'));
    return now !== undefined && !isSame(entry, now) && isTorn(entry, now, segment, profile);
  });
  if (torn.length > 0) await writeLaneFile(shell, tornRecords(bundle, segment.id), encodeRecords(torn));
  return torn.length;
}

/** Its other ranges may be of other times, or padding: a file that is gone is in the bundle whole, or not at all. */
export function goneSinceListing(shell: LaneShell, { id }: SegmentPlan): Failure {
  const { lane } = shell.target;
  return new Failure('PlanLost', `the file of segment ${id} of lane ${lane} is gone since it was listed`, {
    lane,
    segment: id,
  });
}

/**
 * What was read must be of the type that was listed: a folder that has become a link would make a bundle in which other
 * segments lead through it, and no restore takes that. Of the tar itself, for the name may have changed back since.
 * @throws PlanLost
 */
export function requireListedTypes(
  { lane }: Pick<LaneTarget, 'lane'>,
  segment: string,
  listed: readonly Pick<FileEntry, 'path' | 'type'>[],
  read: readonly IndexEntry[],
): void {
  const types = new Map(listed.map(({ path, type }) => [path.toString('latin1'), type]));
  const changed = read.filter((entry) => {
    const type = types.get(pathOf(entry).toString('latin1'));
    return entry.type === 'link' ? type === 'directory' : type !== entry.type;
  }).length;
  if (changed === 0) return;
  throw new Failure(
    'PlanLost',
    `lane ${lane}: ${changed} name(s) of segment ${segment} are of another type than when they were listed`,
    { lane, segment, count: changed },
  );
}

/** A range of an append-only file holds still although the file grows: its bytes are behind the end. */
function isTorn(before: FileEntry, after: FileEntry, segment: SegmentPlan, profile: Profile): boolean {
  if (segment.kind !== 'range' || !isAppendOnly(before, segment.base, profile)) return true;
  return after.inode !== before.inode || after.sizeBytes < before.sizeBytes;
}

/** Logs and what the profile names: files that are only ever written at their end. */
export function isAppendOnly(entry: FileEntry, base: SegmentPlan['base'], profile: Profile): boolean {
  if (entry.type !== 'file') return false;
  return base === 'host' ? entry.path.toString('latin1').endsWith('.log') : matchesAny(entry.path, profile.appendOnly);
}
