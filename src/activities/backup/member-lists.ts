// The member lists of a plan, as they lie on the lane beside the run: names for tar (NUL-separated, no line can
// be forged by a name), and what the listing saw of each, to tell afterwards which changed. They are a cache:
// gone or of another digest, PlanLost makes the workflow plan anew.

import { createHash } from 'node:crypto';
import type { PlannedSegment } from '../../bundle/plan.ts';
import { Failure } from '../../domain/failure.ts';
import type { FileEntry } from '../../domain/file-entry.ts';
import type { Fence } from '../../lane/fence.ts';
import { readLaneFile, writeLaneFile } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { memberList, memberRecords } from '../lane-paths.ts';

/** Names, each ended by NUL. */
export function encodeNames(entries: readonly FileEntry[]): Buffer {
  const nul = Buffer.of(0);
  return Buffer.concat(entries.flatMap(({ path }) => [path, nul]));
}

/** One JSON line each: numbers as decimal strings where they pass 2^53, the path in base64. */
export function encodeRecords(entries: readonly FileEntry[]): Buffer {
  const lines = entries.map((entry) =>
    JSON.stringify({ ...entry, path: entry.path.toString('base64'), mtimeNs: entry.mtimeNs.toString(), ctimeNs: entry.ctimeNs.toString() }),
  );
  return Buffer.from(lines.join('\n'));
}

export function decodeRecords(bytes: Buffer): FileEntry[] {
  if (bytes.length === 0) return [];
  return bytes
    .toString('utf8')
    .split('\n')
    .map((line) => {
      const raw = JSON.parse(line) as Omit<FileEntry, 'path' | 'mtimeNs' | 'ctimeNs'> & { path: string; mtimeNs: string; ctimeNs: string };
      return { ...raw, path: Buffer.from(raw.path, 'base64'), mtimeNs: BigInt(raw.mtimeNs), ctimeNs: BigInt(raw.ctimeNs) };
    });
}

export function digestOf(...parts: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** Writes a segment's list and records to the lane. @returns their common digest */
export async function writeMembers(shell: LaneShell, bundle: string, segment: PlannedSegment, fence: Fence): Promise<string> {
  const names = encodeNames(segment.members);
  const records = encodeRecords(segment.members);
  await writeLaneFile(shell, memberList(bundle, segment.id), names, { fence });
  await writeLaneFile(shell, memberRecords(bundle, segment.id), records, { fence });
  return digestOf(names, records);
}

/** The members of a segment, checked against the digest that the plan recorded. PlanLost. */
export async function readMembers(shell: LaneShell, bundle: string, segment: { readonly id: string; readonly listSha256: string }): Promise<FileEntry[]> {
  const names = await readLaneFile(shell, memberList(bundle, segment.id));
  const records = await readLaneFile(shell, memberRecords(bundle, segment.id));
  if (names && records && digestOf(names, records) === segment.listSha256) return decodeRecords(records);
  throw new Failure('PlanLost', `the list of segment ${segment.id} is gone from lane ${shell.target.lane}, or changed`, { lane: shell.target.lane, segment: segment.id });
}
