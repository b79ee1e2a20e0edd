// What an archive has to hold: the list that the lane's tar was given, or the index that was made of it. Members are
// compared as they come, in order, and nothing that was not asked for passes (AppleDouble `._x` neither).

import { Failure } from '../domain/failure.ts';
import type { FileEntry } from '../domain/file-entry.ts';
import { byteString } from './globs.ts';
import { type IndexEntry, linkOf, pathOf } from './index-file.ts';
import { hostile } from './tar-header.ts';

export interface Expectation {
  /** At a member's header. ArchiveHostile when it was not asked for, BundleDamaged when it is not what was written. */
  meet(member: IndexEntry, name: string): void;
  /** At a member's end, with its digest. */
  finish(member: IndexEntry): void;
  /** At the archive's end. @returns names that were asked for and did not come */
  missing(): Buffer[];
}

/** Backing up: what vanished since the listing may be missing; what changed is told by comparing listings. */
export function expectList(members: readonly FileEntry[]): Expectation {
  const places = new Map(members.map(({ path }, at) => [byteString(path), at]));
  const seen = new Set<number>();
  let next = 0;
  return {
    meet(_member, name) {
      const at = places.get(name);
      if (at === undefined) throw hostile('a member that was not asked for');
      if (at < next) throw hostile('members in another order than asked for');
      next = at + 1;
      seen.add(at);
    },
    finish() {},
    missing: () => members.filter((_, at) => !seen.has(at)).map(({ path }) => path),
  };
}

/** An archive of others: whatever it holds, up to a number of members. */
export function expectAnything(most: number): Expectation {
  let seen = 0;
  return {
    meet() {
      seen++;
      if (seen > most) throw hostile(`more than ${most} members`);
    },
    finish() {},
    missing: () => [],
  };
}

/** Restoring: each member is what the index says, and none is missing. */
export function expectIndex(entries: readonly IndexEntry[]): Expectation {
  let next = 0;
  return {
    meet(member, name) {
      const expected = entries[next];
      if (expected === undefined || byteString(pathOf(expected)) !== name)
        throw hostile('a member that the index does not have there');
      requireSame(headOf(member), headOf(expected), next);
      next++;
    },
    finish(member) {
      requireSame(member.sha256, entries[next - 1]?.sha256, next - 1);
    },
    missing() {
      if (next === entries.length) return [];
      throw new Failure('BundleDamaged', `an archive ends after ${next} of ${entries.length} members`, { count: next });
    },
  };
}

function headOf(entry: IndexEntry): string {
  const { type, mode, sizeBytes, mtime, sparse = false } = entry;
  return JSON.stringify([type, mode, sizeBytes, mtime, sparse, linkOf(entry)?.toString('base64')]);
}

function requireSame(found: string | undefined, expected: string | undefined, at: number): void {
  if (found === expected) return;
  throw new Failure('BundleDamaged', `member ${at + 1} of an archive is not what its index says`, { count: at + 1 });
}
