// Compares a directory with what a bundle says it holds: type, size, mode, time, link target, content. Reads only.

import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import type { Expected, ExpectedTree, Piece } from './expected-tree.ts';

export type Aspect = 'type' | 'size' | 'mode' | 'mtime' | 'link' | 'content';

export interface Difference {
  readonly path: Buffer;
  readonly kind: 'missing' | 'changed' | 'added';
  /** Of what changed. */
  readonly aspects: readonly Aspect[];
}

export interface CompareRequest {
  /** Absolute. */
  readonly directory: string;
  readonly tree: ExpectedTree;
  /** Trees below the directory in which files that the bundle does not have are told; names relative to it. */
  readonly roots: readonly string[];
  /** Is this one left out of bundles by rule? */
  readonly isSkipped: (path: Buffer) => boolean;
}

export async function* compareTree(request: CompareRequest): AsyncGenerator<Difference> {
  for (const [name, expected] of request.tree.entries) {
    const path = Buffer.from(name, 'latin1');
    const difference = await compareEntry(request.directory, path, expected);
    if (difference) yield difference;
  }
  for (const root of request.roots) yield* addedBelow(request, Buffer.from(root));
}

function absolute(directory: string, path: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), path]);
}

async function compareEntry(directory: string, path: Buffer, expected: Expected): Promise<Difference | undefined> {
  const file = absolute(directory, path);
  const stats = await lstat(file, { bigint: true }).catch(absentOnly);
  if (!stats) return { path, kind: 'missing', aspects: [] };
  const aspects = await aspectsOf(directory, file, stats, expected);
  return aspects.length === 0 ? undefined : { path, kind: 'changed', aspects };
}

function absentOnly(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}

async function aspectsOf(directory: string, file: Buffer, stats: BigIntStats, expected: Expected): Promise<Aspect[]> {
  const { type } = expected;
  if (!isOfType(stats, type)) return ['type'];
  if (type === 'symlink')
    return (await readlink(file, { encoding: 'buffer' })).equals(expected.link ?? Buffer.alloc(0)) ? [] : ['link'];
  const mode: Aspect[] = (Number(stats.mode) & 0o7777) === expected.mode ? [] : ['mode'];
  if (type === 'directory') return mode;
  if (type === 'link')
    return [...mode, ...((await sharesInode(directory, stats, expected)) ? [] : (['link'] as const))];
  const mtime: Aspect[] = isSameTime(stats.mtimeNs, expected.mtimeNs) ? [] : ['mtime'];
  if (stats.size !== BigInt(expected.sizeBytes)) return [...mode, ...mtime, 'size'];
  return [...mode, ...mtime, ...((await hasContent(file, expected.pieces)) ? [] : (['content'] as const))];
}

function isOfType(stats: BigIntStats, type: Expected['type']): boolean {
  if (type === 'symlink') return stats.isSymbolicLink();
  return type === 'directory' ? stats.isDirectory() : stats.isFile();
}

/** A range's time is set as a double of seconds, exact to 0.3 µs. */
function isSameTime(found: bigint, expected: bigint): boolean {
  const apart = found - expected;
  return apart < 1000n && apart > -1000n;
}

async function sharesInode(directory: string, stats: BigIntStats, { link }: Expected): Promise<boolean> {
  if (!link) return false;
  const other = await lstat(absolute(directory, link), { bigint: true }).catch(absentOnly);
  return other?.ino === stats.ino && other.dev === stats.dev;
}

async function hasContent(path: Buffer, pieces: readonly Piece[]): Promise<boolean> {
  if (pieces.length === 0) return true;
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  for (const { offset, length, sha256 } of pieces) {
    const hash = createHash('sha256');
    if (length > 0) {
      const part = file.createReadStream({
        start: offset,
        end: offset + length - 1,
        autoClose: false,
        highWaterMark: 1024 * 1024,
      });
      for await (const chunk of part as AsyncIterable<Buffer>) hash.update(chunk);
    }
    if (hash.digest('hex') !== sha256) return false;
  }
  return true;
}

/** What lies below a root and is in no index, nor left out by rule. Directories are told once, not each file in them. */
async function* addedBelow(request: CompareRequest, root: Buffer): AsyncGenerator<Difference> {
  const { directory, tree, isSkipped } = request;
  const listing = await readdir(absolute(directory, root), { encoding: 'buffer', withFileTypes: true }).catch(
    absentOnly,
  );
  for (const entry of listing ?? []) {
    const path = Buffer.concat([root, Buffer.from('/'), entry.name]);
    const name = path.toString('latin1');
    const isKnown = tree.entries.has(name);
    if (isSkipped(path) || tree.omitted.has(name)) continue;
    if (!isKnown && (entry.isFile() || entry.isDirectory() || entry.isSymbolicLink()))
      yield { path, kind: 'added', aspects: [] };
    if (entry.isDirectory() && isKnown) yield* addedBelow(request, path);
  }
}
