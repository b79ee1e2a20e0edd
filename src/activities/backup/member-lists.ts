// The member lists of a plan, as they lie on the lane beside the run: names for tar (NUL-separated, no line can
// be forged by a name), and what the listing saw of each, to tell afterwards which changed. They are a cache:
// gone or of another digest, PlanLost makes the workflow plan anew.

import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { PlannedSegment } from '../../bundle/plan.ts';
import { type SmallFile, smallTar } from '../../bundle/small-tar.ts';
import { Failure } from '../../domain/failure.ts';
import type { FileEntry } from '../../domain/file-entry.ts';
import { bothEnds } from '../../lane/data-stream.ts';
import type { Fence } from '../../lane/fence.ts';
import { clawbackFile, readLaneFile } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { unpackFiles } from '../../lane/tar.ts';
import { memberList, memberRecords, runDirectory } from '../lane-paths.ts';

/** Names, each ended by NUL. */
export function encodeNames(entries: readonly FileEntry[]): Buffer {
  const nul = Buffer.of(0);
  return Buffer.concat(entries.flatMap(({ path }) => [path, nul]));
}

/** One JSON line each: numbers as decimal strings where they pass 2^53, the path in base64. */
export function encodeRecords(entries: readonly FileEntry[]): Buffer {
  const lines = entries.map((entry) =>
    JSON.stringify({
      ...entry,
      path: entry.path.toString('base64'),
      mtimeNs: entry.mtimeNs.toString(),
      ctimeNs: entry.ctimeNs.toString(),
    }),
  );
  return Buffer.from(lines.join('\n'));
}

export function decodeRecords(bytes: Buffer): FileEntry[] {
  if (bytes.length === 0) return [];
  return bytes
    .toString('utf8')
    .split('\n')
    .map((line) => {
      const raw = JSON.parse(line) as Omit<FileEntry, 'path' | 'mtimeNs' | 'ctimeNs'> & {
        path: string;
        mtimeNs: string;
        ctimeNs: string;
      };
      return {
        ...raw,
        path: Buffer.from(raw.path, 'base64'),
        mtimeNs: BigInt(raw.mtimeNs),
        ctimeNs: BigInt(raw.ctimeNs),
      };
    });
}

export function digestOf(...parts: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** The files of one segment's list, and their common digest. */
export function memberFiles(segment: PlannedSegment): {
  readonly files: readonly SmallFile[];
  readonly sha256: string;
} {
  const names = encodeNames(segment.members);
  const records = encodeRecords(segment.members);
  return {
    files: [
      { name: `${segment.id}.list`, content: names },
      { name: `${segment.id}.records`, content: records },
    ],
    sha256: digestOf(names, records),
  };
}

/** Writes small files into the run's folder on the lane, all with one command. */
export async function writeRunFiles(
  shell: LaneShell,
  bundle: string,
  files: readonly SmallFile[],
  fence: Fence,
): Promise<void> {
  const unpack = await unpackFiles(shell, { base: clawbackFile(shell, runDirectory(bundle)), fence });
  await bothEnds(pipeline(smallTar(files), unpack.stdin), unpack.finished);
}

/** The members of a segment, checked against the digest that the plan recorded. PlanLost. */
export async function readMembers(
  shell: LaneShell,
  bundle: string,
  segment: { readonly id: string; readonly listSha256: string },
): Promise<FileEntry[]> {
  const [names, records] = await Promise.all([
    readLaneFile(shell, memberList(bundle, segment.id)),
    readLaneFile(shell, memberRecords(bundle, segment.id)),
  ]);
  if (names && records && digestOf(names, records) === segment.listSha256) return decodeRecords(records);
  throw new Failure(
    'PlanLost',
    `the list of segment ${segment.id} is gone from lane ${shell.target.lane}, or changed`,
    { lane: shell.target.lane, segment: segment.id },
  );
}
