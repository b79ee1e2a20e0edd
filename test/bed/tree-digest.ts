// The digest of a whole tree, so that two trees can be compared and their differences named: names as bytes, types,
// modes, owners, sizes, times to the nanosecond, link targets, hard-link groups, contents.

import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  constants,
  lstatSync,
  readdirSync,
  readlinkSync,
  openSync,
  closeSync,
  readSync,
} from 'node:fs';
import { join } from 'node:path';

export interface TreeEntry {
  /** Names are bytes: latin1, one character a byte. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'device';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of files only: what a directory's size is depends on the file system. */
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  readonly target?: string;
  /** The first path, by order of bytes, of those that name the same inode. */
  readonly linkedTo?: string;
  readonly sha256?: string;
}

export interface TreeDigest {
  readonly sha256: string;
  readonly entries: ReadonlyMap<string, TreeEntry>;
}

export interface TreeOptions {
  /** Is this path (latin1, relative) left out, with all below it? */
  readonly skip?: (path: string) => boolean;
  /** Attributes that are not compared, such as `uid` where a restore runs as another user. */
  readonly ignore?: readonly (keyof TreeEntry)[];
}

/** Reads the tree below `root` (the root itself included, as an empty path). */
export function digestTree(root: string, options: TreeOptions = {}): TreeDigest {
  const found = new Map<string, TreeEntry>();
  const inodes = new Map<string, string>();
  const visit = (place: Buffer, path: string): void => {
    if (path !== '' && options.skip?.(path) === true) return;
    const stats = lstatSync(place, { bigint: true });
    found.set(path, strip(entryOf(place, path, stats, inodes), options.ignore ?? []));
    if (!stats.isDirectory()) return;
    for (const name of readdirSync(place, { encoding: 'buffer' }).sort(Buffer.compare)) {
      visit(Buffer.concat([place, Buffer.from('/'), name]), join(path, name.toString('latin1')));
    }
  };
  visit(Buffer.from(root), '');
  return {
    sha256: createHash('sha256')
      .update([...found.values()].map(line).join('\n'))
      .digest('hex'),
    entries: found,
  };
}

function strip(entry: TreeEntry, ignore: readonly (keyof TreeEntry)[]): TreeEntry {
  return Object.fromEntries(
    Object.entries(entry).filter(([name]) => !ignore.includes(name as keyof TreeEntry)),
  ) as unknown as TreeEntry;
}

function line(entry: TreeEntry): string {
  return JSON.stringify(entry, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

function typeOf(stats: BigIntStats): TreeEntry['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  return stats.isSocket() ? 'socket' : 'device';
}

function entryOf(place: Buffer, path: string, stats: BigIntStats, inodes: Map<string, string>): TreeEntry {
  const type = typeOf(stats);
  const inode = `${stats.dev}:${stats.ino}`;
  const first = type === 'directory' ? path : (inodes.get(inode) ?? path);
  inodes.set(inode, first);
  return {
    path,
    type,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    sizeBytes: type === 'file' ? Number(stats.size) : 0,
    mtimeNs: stats.mtimeNs,
    ...(type === 'symlink' ? { target: readlinkSync(place, { encoding: 'buffer' }).toString('latin1') } : {}),
    ...(first === path ? {} : { linkedTo: first }),
    ...(type === 'file' ? { sha256: sha256Of(place) } : {}),
  };
}

const chunk = Buffer.alloc(1 << 20);

function sha256Of(place: Buffer): string {
  const hash = createHash('sha256');
  const file = openSync(place, constants.O_RDONLY);
  try {
    for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) hash.update(chunk.subarray(0, size));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

/** What differs, a line each: `missing`, `extra`, or the attributes with both values. Empty: the trees are identical. */
export function differences(before: TreeDigest, after: TreeDigest): string[] {
  const lines: string[] = [];
  for (const [path, entry] of before.entries) {
    const other = after.entries.get(path);
    if (other === undefined) lines.push(`missing ${JSON.stringify(path)}`);
    else lines.push(...changes(entry, other));
  }
  for (const path of after.entries.keys()) if (!before.entries.has(path)) lines.push(`extra ${JSON.stringify(path)}`);
  return lines;
}

function changes(entry: TreeEntry, other: TreeEntry): string[] {
  const names = new Set([...Object.keys(entry), ...Object.keys(other)]) as Set<keyof TreeEntry>;
  const show = (value: unknown): string => (typeof value === 'number' ? `0o${value.toString(8)}` : String(value));
  return [...names]
    .filter((name) => entry[name] !== other[name])
    .map(
      (name) =>
        `${JSON.stringify(entry.path)} ${name}: ${name === 'mode' ? show(entry[name]) : String(entry[name])} → ${name === 'mode' ? show(other[name]) : String(other[name])}`,
    );
}
