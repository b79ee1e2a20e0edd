// The files of segments, compared with those on the lane: what lies there with the size and time that it had must have
// the digest of the index. One tar of them is read, and its bytes go nowhere; names go into the lane's own report.

import { randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { countAndHash } from '../../bundle/digest.ts';
import { type IndexEntry, pathOf, type SegmentIndex } from '../../bundle/index-file.ts';
import { auditTar } from '../../bundle/tar-audit.ts';
import type { LaneComparison } from '../../contract/verify.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { FileEntry } from '../../domain/file-entry.ts';
import { limits } from '../../domain/limits.ts';
import { appendReport, clawbackFile, removeLaneTree, writeLaneFile } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { statFiles } from '../../lane/listing.ts';
import { readRange } from '../../lane/ranges.ts';
import { packFiles } from '../../lane/tar.ts';
import { countingBytes } from '../count-bytes.ts';
import type { Run } from '../step.ts';
import { nowhere } from './nowhere.ts';

export type Found = Omit<LaneComparison, 'state'>;

/** A name as the lane's report has it. */
export function quoted(path: Buffer): string {
  return JSON.stringify(path.toString('utf8'));
}

/** A file of a segment, or the range of one that a segment holds. */
interface Wanted {
  readonly entry: IndexEntry;
  readonly range: SegmentIndex['range'];
}

interface Untouched extends Wanted {
  /** As it lies there. */
  readonly file: FileEntry;
}

/** A sparse file's digest is of its map too. */
function isComparable({ type, sha256, sparse }: IndexEntry): boolean {
  return type === 'file' && sha256 !== undefined && sparse === undefined;
}

function nameOf(entry: IndexEntry): string {
  return pathOf(entry).toString('latin1');
}

/** What has one digest. */
function idOf({ entry, range }: Wanted): string {
  return `${range?.offset ?? ''}/${nameOf(entry)}`;
}

/**
 * Reads what lies there unchanged. May be called again.
 * @throws ListingFailed, HostConnectionLost, StreamStalled
 */
export async function compareSegments(
  shell: LaneShell,
  bundle: string,
  indexes: readonly SegmentIndex[],
  run: Run,
): Promise<Found> {
  const files = indexes.flatMap(({ entries, range }) =>
    entries.filter(isComparable).map((entry): Wanted => ({ entry, range })),
  );
  const untouched = await unchanged(shell, files, run);
  const digests = await digestsOf(shell, untouched, run);
  const suspects = untouched.filter((one) => digests.get(idOf(one)) !== one.entry.sha256);
  // one that was written while it was read has another time by now
  const different = await unchanged(shell, suspects, run);
  const names = different.map(
    ({ entry }) => `${bundle}: same size and time on the lane, but other bytes or unreadable: ${quoted(pathOf(entry))}`,
  );
  if (names.length > 0) await appendReport(shell, ...names.slice(0, limits.reportLines));
  const compared = untouched.length - (suspects.length - different.length);
  return { compared, changed: files.length - compared, different: different.length };
}

/** Those that lie on the lane with the size and time that they had. */
async function unchanged(shell: LaneShell, wanted: readonly Wanted[], { signal }: Run): Promise<readonly Untouched[]> {
  if (wanted.length === 0) return [];
  const paths = new Map(wanted.map(({ entry }) => [nameOf(entry), pathOf(entry)]));
  const now = await withList(shell, [...paths.values()], signal, (listPath) =>
    statFiles(shell, { base: shell.target.home, listPath, signal }),
  );
  const byName = new Map(now.map((file) => [file.path.toString('latin1'), file]));
  return wanted.flatMap((one) => {
    const file = byName.get(nameOf(one.entry));
    const { sizeBytes, mtime } = one.entry;
    const isSame = file?.type === 'file' && file.sizeBytes === sizeBytes && String(file.mtimeNs) === mtime;
    return isSame ? [{ ...one, file }] : [];
  });
}

async function withList<T>(
  shell: LaneShell,
  paths: readonly Buffer[],
  signal: AbortSignal,
  work: (listPath: string) => Promise<T>,
): Promise<T> {
  const list = `tmp/verify-${randomUUID()}.list`;
  await writeLaneFile(shell, list, Buffer.concat(paths.flatMap((path) => [path, Buffer.of(0)])), { signal });
  try {
    return await work(clawbackFile(shell, list));
  } finally {
    await removeLaneTree(shell, list);
  }
}

/** One that cannot be read has none: what a rotten disk says. */
async function digestsOf(
  shell: LaneShell,
  untouched: readonly Untouched[],
  run: Run,
): Promise<ReadonlyMap<string, string>> {
  const ranges = untouched.filter(({ range }) => range !== undefined);
  const whole = untouched.filter(({ range }) => range === undefined);
  const digests = await digestsOneByOne(shell, ranges, run);
  if (whole.length === 0) return digests;
  try {
    return new Map([...digests, ...(await digestsOfTar(shell, whole, run))]);
  } catch (error) {
    if (!isOfOneFile(error)) throw error;
    return new Map([...digests, ...(await digestsOneByOne(shell, whole, run))]);
  }
}

/** Tar gave up, or gave what was not asked for: one of the files is to blame, and the others are looked at all the same. */
function isOfOneFile(error: unknown): boolean {
  return error instanceof Failure && ['TarFailed', 'ArchiveHostile', 'BundleDamaged'].includes(error.code);
}

async function digestsOfTar(
  shell: LaneShell,
  whole: readonly Untouched[],
  run: Run,
): Promise<ReadonlyMap<string, string>> {
  const { signal } = run;
  // a supplement has a file once more
  const members = [...new Map(whole.map(({ entry, file }) => [nameOf(entry), file])).values()];
  const paths = members.map(({ path }) => path);
  return withList(shell, paths, signal, async (listPath) => {
    const tar = await packFiles(shell, { base: shell.target.home, listPath, signal });
    const audit = auditTar({ expect: 'list', members });
    await pipeline(tar.stdout, audit.stream, countingBytes(run), nowhere(), { signal });
    await tar.finished;
    const { entries } = audit.result();
    return new Map(entries.map((entry) => [idOf({ entry, range: undefined }), entry.sha256 ?? '']));
  });
}

async function digestsOneByOne(
  shell: LaneShell,
  untouched: readonly Untouched[],
  run: Run,
): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  for (const one of untouched) {
    const sha256 = await digestOf(shell, one, run);
    if (sha256 !== undefined) digests.set(idOf(one), sha256);
  }
  return digests;
}

/** Undefined when the file cannot be read. */
async function digestOf(shell: LaneShell, { entry, range }: Wanted, run: Run): Promise<string | undefined> {
  const { signal } = run;
  const place = { base: shell.target.home, path: pathOf(entry) };
  const { stdout, finished } = await readRange(shell, {
    ...place,
    ...(range ?? { offset: 0, length: entry.sizeBytes }),
    signal,
  });
  const hash = countAndHash();
  await pipeline(stdout, countingBytes(run), hash, nowhere(), { signal });
  try {
    await finished;
  } catch (error) {
    if (!isFailure(error, 'HostCommandFailed')) throw error;
    return undefined;
  }
  return hash.sha256;
}
