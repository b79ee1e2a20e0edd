// What becomes of each file of a listing: into which component, a database to be copied, or left out and why.
// Pure. First match wins, in the order: excluded, class 3, volatile, type, database, tree, tier.

import type { FileEntry } from '../domain/file-entry.ts';
import type { Profile } from '../domain/profile.ts';
import type { Component } from '../domain/terms.ts';
import { byteString, matchesAny, treeMatcher } from './globs.ts';
import { limits } from '../domain/limits.ts';
import type { OmissionReason } from './omission.ts';

/** To what member names are relative: the lane's home; the host's root; the tree of database copies (then as in the home). */
export const segmentBases = ['home', 'host', 'copies'] as const;
export type SegmentBase = (typeof segmentBases)[number];

export interface ClassifyOptions {
  readonly profile: Profile;
  readonly components: readonly Component[];
  readonly exclude: readonly string[];
  readonly base: SegmentBase;
}

export type Verdict =
  | { readonly fate: 'take'; readonly component: Component }
  | { readonly fate: 'database' }
  | { readonly fate: 'omit'; readonly reason: OmissionReason };

const omit = (reason: OmissionReason): Verdict => ({ fate: 'omit', reason });

/** A classifier of one listing, which it has seen whole; it remembers directories that globs matched. */
export function classifier(options: ClassifyOptions, entries: readonly FileEntry[]): (entry: FileEntry) => Verdict {
  const { profile, components, base } = options;
  const leaveOut = exclusions(options);
  const tooLarge = base === 'host' ? new Set() : beyondClassOne(entries, profile, leaveOut);
  return (entry) => {
    const reason = leaveOut(entry);
    if (reason !== undefined) return omit(reason);
    const isMoved = tooLarge.has(entry);
    const placed = base === 'host' ? hostComponent(entry) : homeComponent(entry.path, profile);
    const component = isMoved ? 'transcripts' : placed;
    if (component === undefined) return omit('outside');
    if (!components.includes(component)) return omit(isMoved ? 'too-large-for-tier-a' : 'other-tier');
    return isLiveDatabase(entry, options) ? { fate: 'database' } : { fate: 'take', component };
  };
}

function exclusions({ profile, exclude, base }: ClassifyOptions): (entry: FileEntry) => OmissionReason | undefined {
  const excluded = treeMatcher(exclude);
  const rebuildable = treeMatcher(profile.skip);
  const volatile = treeMatcher(profile.volatile);
  return (entry) => {
    if (entry.type === 'socket' || entry.type === 'fifo' || entry.type === 'device') return entry.type;
    if (base !== 'home') return undefined;
    if (excluded(entry.path)) return 'excluded';
    if (rebuildable(entry.path)) return 'rebuildable';
    if (volatile(entry.path)) return 'volatile';
    return isSidecar(entry, profile) ? 'database-sidecar' : undefined;
  };
}

/**
 * Databases of the configuration hold secrets and conversations: they are class 1 while all of them fit tier A, from the
 * smallest up, and the others class 2. The same rule for live databases and for their copies.
 */
function beyondClassOne(
  entries: readonly FileEntry[],
  profile: Profile,
  leaveOut: (entry: FileEntry) => unknown,
): ReadonlySet<FileEntry> {
  const databases = entries.filter(
    (entry) =>
      entry.type === 'file' &&
      matchesAny(entry.path, profile.databases) &&
      homeComponent(entry.path, profile) === 'config' &&
      leaveOut(entry) === undefined,
  );
  let sumBytes = 0;
  const larger = (a: FileEntry, b: FileEntry): number => a.sizeBytes - b.sizeBytes || Buffer.compare(a.path, b.path);
  return new Set(
    databases.toSorted(larger).filter(({ sizeBytes }) => (sumBytes += sizeBytes) > limits.classOneDatabaseBytes),
  );
}

/** SQLite's own files beside a database; the online backup has their content. */
const sidecar = /^(.+)-(?:wal|shm|journal)$/s;

/** Of a live database or a file that SQLite keeps beside one: the database's name. */
export function databaseOf(path: Buffer, databases: readonly string[]): Buffer | undefined {
  const beside = sidecar.exec(byteString(path))?.[1];
  return [path, ...(beside === undefined ? [] : [Buffer.from(beside, 'latin1')])].find((name) =>
    matchesAny(name, databases),
  );
}

function isSidecar({ path, type }: FileEntry, profile: Profile): boolean {
  const database = type === 'file' ? databaseOf(path, profile.databases) : undefined;
  return database !== undefined && !database.equals(path);
}

function isLiveDatabase({ path, type }: FileEntry, { profile, base }: ClassifyOptions): boolean {
  return base === 'home' && type === 'file' && matchesAny(path, profile.databases);
}

function homeComponent(path: Buffer, profile: Profile): Component | undefined {
  const name = byteString(path);
  const rule = profile.rules.find(({ prefix }) => startsWith(name, prefix));
  if (rule !== undefined) return rule.component;
  return profile.roots.some((root) => startsWith(name, `${root}/`)) ? 'config' : undefined;
}

/** A directory's own entry belongs to the prefix that ends in its slash. */
function startsWith(name: string, prefix: string): boolean {
  return name.startsWith(prefix) || `${name}/` === prefix;
}

/** On the host the listing asks for plists and logs by name; its directories are not ours. */
function hostComponent({ path, type }: FileEntry): Component | undefined {
  if (type === 'directory') return undefined;
  return byteString(path).endsWith('.plist') ? 'plists' : 'logs';
}
