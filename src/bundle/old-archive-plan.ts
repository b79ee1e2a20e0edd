// From the members of an old script's archive to the segments of a bundle. Pure. Where a member belongs is told by the
// profile, as for a listing of the lane; segments are cut in the archive's order, for it is read as a stream. All names
// of one file lie side by side in one segment, whichever of them were left out; directories lie in their own, last.

import { basename } from 'node:path';
import type { FileEntry } from '../domain/file-entry.ts';
import type { Profile } from '../domain/profile.ts';
import { components } from '../domain/terms.ts';
import { classifier, databaseOf } from './classify.ts';
import { byteString } from './globs.ts';
import { type IndexEntry, pathOf } from './index-file.ts';
import { type ArchiveSegment, cutArchive, type Place } from './old-archive-cut.ts';
import type { OmissionReason } from './omission.ts';
import { hostile } from './tar-header.ts';

export interface ArchivePlanOptions {
  /** Of the layout that the archive has. */
  readonly profile: Profile;
  readonly exclude: readonly string[];
  /** The lane's home as the archive's absolute names have it, without the first slash: `Users/agent-lane-1`. */
  readonly home: string;
  /** The lane's own plists, absolute on a Mac. */
  readonly plists: readonly string[];
  readonly segmentBytes: number;
}

export interface ArchivePlan {
  readonly segments: readonly ArchiveSegment[];
  readonly omissions: readonly { readonly reason: OmissionReason; readonly count: number }[];
  /** Members that are this lane's, whatever became of them. */
  readonly own: number;
}

/**
 * @param entries all members of an audited archive, in its order
 * @throws ArchiveHostile when a tree of the lane is a link; InvalidInput when it has too many parts for one bundle
 */
export function planArchive(entries: readonly IndexEntry[], options: ArchivePlanOptions): ArchivePlan {
  const places = placeAll(entries, options);
  const omissions = new Map<OmissionReason, number>();
  for (const place of places) {
    if (typeof place === 'object' && 'reason' in place)
      omissions.set(place.reason, (omissions.get(place.reason) ?? 0) + 1);
  }
  return {
    segments: cutArchive(entries, places, options.segmentBytes),
    omissions: [...omissions].map(([reason, count]) => ({ reason, count })),
    own: places.filter((place) => typeof place === 'object' && !isForeign(place)).length,
  };
}

function isForeign(place: Exclude<Place, 'parent'>): boolean {
  return 'reason' in place && place.reason === 'other-lane';
}

/** Which layout an archive has: the current one keeps its configuration in one file, the one of old in a folder. */
export function layoutOf(entries: readonly IndexEntry[]): 'openclaw-2026' | 'slimvps-legacy' | undefined {
  const has = (pattern: RegExp): boolean => entries.some((entry) => pattern.test(byteString(pathOf(entry))));
  if (has(/(?:^|\/)\.openclaw\/openclaw\.json$/)) return 'openclaw-2026';
  return has(/(?:^|\/)\.openclaw\/(?:config|transcripts)(?:\/|$)/) ? 'slimvps-legacy' : undefined;
}

// --- where a member belongs --------------------------------------------------------------------------------------

function placeAll(entries: readonly IndexEntry[], options: ArchivePlanOptions): Place[] {
  const names = new Set(entries.map((entry) => byteString(pathOf(entry))));
  const found = entries.map((entry) => locate(byteString(pathOf(entry)), names, options));
  const inHome = found.flatMap((place, at) => (isHome(place) ? [listed(entries[at] as IndexEntry, place.path)] : []));
  const place = homePlacer(inHome, options);
  let next = 0;
  return found.map((located) => (isHome(located) ? place(inHome[next++] as FileEntry) : located));
}

interface AtHome {
  readonly path: Buffer;
}

function isHome(place: Place | AtHome): place is AtHome {
  return typeof place === 'object' && !('reason' in place) && !('component' in place);
}

function locate(name: string, names: ReadonlySet<string>, { home, plists }: ArchivePlanOptions): Place | AtHome {
  const file = basename(name);
  if (file.startsWith('._') && names.has(name.slice(0, -file.length) + file.slice(2)))
    return { reason: 'apple-double' };
  if (name.startsWith(`${home}/`)) return { path: Buffer.from(name.slice(home.length + 1), 'latin1') };
  if (`${home}/`.startsWith(`${name}/`)) return 'parent';
  if (name.startsWith('Users/')) return { reason: 'other-lane' };
  if (name === 'Library' || name === 'Library/LaunchDaemons') return 'parent';
  if (!name.startsWith('Library/LaunchDaemons/')) return { path: Buffer.from(name, 'latin1') };
  if (plists.includes(`/${name}`)) return { component: 'plists', base: 'host', path: Buffer.from(name, 'latin1') };
  return { reason: name.endsWith('.plist') ? 'other-lane' : 'outside' };
}

/** By the profile's rules. Databases were copied as they lay there: with their logs, which hold what they lack. */
function homePlacer(listing: readonly FileEntry[], options: ArchivePlanOptions): (entry: FileEntry) => Place {
  const { profile } = options;
  const shared = { profile, components, exclude: options.exclude };
  const byRules = classifier({ ...shared, base: 'home' }, listing);
  const byTree = classifier({ ...shared, base: 'copies' }, listing);
  const known = new Map(listing.map((entry) => [byteString(entry.path), entry]));
  return (entry) => {
    if (entry.type === 'symlink' && profile.roots.includes(byteString(entry.path)))
      throw hostile('a link in the place of a tree of the lane');
    const verdict = byRules(entry);
    if (verdict.fate === 'take') return { component: verdict.component, base: 'home', path: entry.path };
    const isLog = verdict.fate === 'omit' && verdict.reason === 'database-sidecar';
    if (verdict.fate === 'omit' && !(isLog && /-(?:wal|journal)$/.test(byteString(entry.path))))
      return { reason: verdict.reason };
    const database = known.get(byteString(databaseOf(entry.path, profile.databases) ?? entry.path));
    const placed = database && byTree(database);
    return placed?.fate === 'take'
      ? { component: placed.component, base: 'home', path: entry.path }
      : { reason: 'database-sidecar' };
  };
}

/** What the classifier asks of a listing. */
function listed({ type, mode, sizeBytes, mtime }: IndexEntry, path: Buffer): FileEntry {
  const mtimeNs = BigInt(mtime);
  const unknown = { uid: 0, gid: 0, ctimeNs: mtimeNs, device: '', inode: '', links: 1, allocatedBytes: sizeBytes };
  return { path, type: type === 'link' ? 'file' : type, mode, sizeBytes, mtimeNs, ...unknown };
}
