// What a verification does on the lane itself: files that lie there as they did when they were saved (size and time) must
// still have the bytes of the bundle's index; and the names that are affected by what is wrong go into the lane's own report,
// for they never leave it. Nothing else is written there. A lane that does not answer is told, no failure.

import { randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { countAndHash } from '../../bundle/digest.ts';
import { type IndexEntry, pathOf } from '../../bundle/index-file.ts';
import type { Manifest } from '../../bundle/manifest.ts';
import type { ObjectFault } from '../../contract/results.ts';
import type { VaultDataSteps } from '../../contract/steps.ts';
import type { InStore, LaneComparison } from '../../contract/verify.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { appendReport, clawbackFile, removeLaneTree, writeLaneFile } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { statFiles } from '../../lane/listing.ts';
import { readRange } from '../../lane/ranges.ts';
import type { Deps } from '../deps.ts';
import { isNoAnswer } from '../host/no-answer.ts';
import { readManifest } from '../manifests.ts';
import { storedOf } from '../restore/open-stored.ts';
import { activity, reach, type Run } from '../step.ts';
import { nowhere } from './nowhere.ts';

export function compareLaneStep(deps: Deps): VaultDataSteps['compareLane'] {
  return activity(async ({ target, bundle, faults, ...place }, run) => {
    const { lane, store } = place;
    const affected = await namesOf(deps, place, faults, run);
    const sample = bundle === null ? [] : await sampleOf(deps, { ...place, bundle }, run);
    try {
      const shell = await reach(deps, target, run);
      if (affected.length > 0) await appendReport(shell, `verification of ${lane} in ${store}:`, ...affected);
      return bundle === null ? untold('skipped') : await compare(shell, bundle, sample, run);
    } catch (error) {
      if (!isNoAnswer(error)) throw error;
      return untold('silent');
    }
  });
}

function untold(state: 'skipped' | 'silent'): LaneComparison {
  return { state, compared: 0, changed: 0, different: 0 };
}

/** Why an index cannot be read: verifySegments names it by its segment, and names of files it gives none. */
function isUnreadable(error: unknown): boolean {
  return (
    error instanceof Failure &&
    ['BundleDamaged', 'BundleFormatUnknown', 'ObjectMissing', 'BundleKeyWrong'].includes(error.code)
  );
}

interface Wanted extends Pick<Run, 'signal'> {
  readonly id: string;
}

/** Undefined when the index itself cannot be read. */
async function indexOf(
  deps: Deps,
  place: InStore,
  manifest: Manifest,
  wanted: Wanted,
): Promise<readonly IndexEntry[] | undefined> {
  try {
    const { id, signal } = wanted;
    const segment = { bundle: manifest.bundle, id };
    return (await storedOf(deps, { ...place, segment, signal }, manifest).index()).entries;
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** Members of what is wrong, as lines of the report: as many as it takes. A secrets segment names no file. */
async function namesOf(deps: Deps, place: InStore, faults: readonly ObjectFault[], run: Run): Promise<string[]> {
  const lines: string[] = [];
  for (const { bundle, segment, object, what } of faults) {
    if (segment === undefined || lines.length >= limits.reportLines) continue;
    const { manifest } = await readManifest(deps, { ...place, bundle, signal: run.signal });
    const about = `${bundle} ${segment}: its ${object} is ${what}`;
    const kind = manifest.segments.find(({ id }) => id === segment)?.kind;
    const entries = kind === 'secrets' ? [] : await indexOf(deps, place, manifest, { id: segment, signal: run.signal });
    const names = (entries ?? [])
      .filter(({ type }) => type !== 'directory')
      .map((entry) => `, affects ${quoted(pathOf(entry))}`);
    lines.push(...(names.length > 0 ? names : ['']).map((name) => about + name));
  }
  return lines.slice(0, limits.reportLines - 1);
}

function quoted(path: Buffer): string {
  return JSON.stringify(path.toString('utf8'));
}

/** Another few of the bundle's files at each run, of segments drawn by lot. */
async function sampleOf(deps: Deps, place: InStore & { readonly bundle: string }, run: Run): Promise<IndexEntry[]> {
  const { manifest } = await readManifest(deps, { ...place, signal: run.signal });
  const segments = manifest.segments.filter(({ kind, base }) => kind === 'tar' && base === 'home');
  const sample: IndexEntry[] = [];
  let bytes = 0;
  for (const { id } of shuffled(segments).slice(0, limits.compareSegments)) {
    const entries = (await indexOf(deps, place, manifest, { id, signal: run.signal })) ?? [];
    for (const entry of shuffled(entries.filter(isComparable)).slice(0, limits.compareFiles / limits.compareSegments)) {
      if (bytes + entry.sizeBytes > limits.compareBytes) continue;
      bytes += entry.sizeBytes;
      sample.push(entry);
    }
  }
  return sample;
}

/** A sparse file's digest is of its map too. */
function isComparable({ type, sha256, sparse }: IndexEntry): boolean {
  return type === 'file' && sha256 !== undefined && sparse === undefined;
}

function shuffled<T>(all: readonly T[]): T[] {
  return all
    .map((one) => ({ one, lot: Math.random() }))
    .toSorted((a, b) => a.lot - b.lot)
    .map(({ one }) => one);
}

async function compare(
  shell: LaneShell,
  bundle: string,
  sample: readonly IndexEntry[],
  run: Run,
): Promise<LaneComparison> {
  const untouched = await unchanged(shell, sample, run);
  const suspects: IndexEntry[] = [];
  for (const entry of untouched) if ((await digestOf(shell, entry, run)) !== entry.sha256) suspects.push(entry);
  // one that was written while it was read has another time by now
  const different = await unchanged(shell, suspects, run);
  if (different.length > 0) {
    const names = different.map(
      (entry) => `${bundle}: same size and time on the lane, but other bytes or unreadable: ${quoted(pathOf(entry))}`,
    );
    await appendReport(shell, ...names);
  }
  const compared = untouched.length - (suspects.length - different.length);
  return { state: 'compared', compared, changed: sample.length - compared, different: different.length };
}

/** Those that lie on the lane with the size and time that they had. */
async function unchanged(shell: LaneShell, entries: readonly IndexEntry[], { signal }: Run): Promise<IndexEntry[]> {
  if (entries.length === 0) return [];
  const list = `tmp/verify-${randomUUID()}.list`;
  await writeLaneFile(shell, list, Buffer.concat(entries.flatMap((entry) => [pathOf(entry), Buffer.of(0)])), {
    signal,
  });
  try {
    const listPath = clawbackFile(shell, list);
    const now = await statFiles(shell, { base: shell.target.home, listPath, signal });
    const byName = new Map(now.map((file) => [file.path.toString('latin1'), file]));
    return entries.filter((entry) => {
      const file = byName.get(pathOf(entry).toString('latin1'));
      return file?.type === 'file' && file.sizeBytes === entry.sizeBytes && String(file.mtimeNs) === entry.mtime;
    });
  } finally {
    await removeLaneTree(shell, list);
  }
}

/** Undefined when the file cannot be read: what a rotten disk says. */
async function digestOf(shell: LaneShell, entry: IndexEntry, run: Run): Promise<string | undefined> {
  const { signal } = run;
  const request = { base: shell.target.home, path: pathOf(entry), offset: 0, length: entry.sizeBytes, signal };
  const { stdout, finished } = await readRange(shell, request);
  const hash = countAndHash();
  await pipeline(stdout, hash, nowhere(), { signal });
  try {
    await finished;
  } catch (error) {
    if (!isFailure(error, 'HostCommandFailed')) throw error;
    return undefined;
  }
  run.countBytes(entry.sizeBytes);
  return hash.sha256;
}
