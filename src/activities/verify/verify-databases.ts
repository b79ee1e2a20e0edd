// The databases of a bundle, checked as databases: `integrity_check` and `foreign_key_check`. They hold conversations, and
// databases of the configuration secrets too: so none touches a disk of the worker, whatever becomes of it. Small ones are
// checked in the worker's own memory, one at a time; larger ones as a file in the machine's (memory-file.ts). For what finds
// no room there it is told that it was not checked. The check itself runs in a thread, for it would stop the heartbeats.

import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Worker } from 'node:worker_threads';
import { pathOf } from '../../bundle/index-file.ts';
import type { Manifest, ManifestSegment } from '../../bundle/manifest.ts';
import { readTarMembers } from '../../bundle/tar-members.ts';
import type { ObjectFault } from '../../contract/results.ts';
import type { VaultDataSteps } from '../../contract/steps.ts';
import type { InStore, UncheckedDatabase } from '../../contract/verify.ts';
import { isFailure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { countingBytes } from '../count-bytes.ts';
import type { Deps } from '../deps.ts';
import { readManifest } from '../manifests.ts';
import { storedOf, type StoredSegment } from '../restore/open-stored.ts';
import { activity, type Run } from '../step.ts';
import type { DatabaseVerdict } from './database-thread.ts';
import { type HasRoom, hasRoomInMemory, withMemoryFile } from './memory-file.ts';

/** Where a database is checked: up to so many bytes in the worker's own memory, else where there is room. */
export interface Bounds {
  readonly ownBytes: number;
  readonly hasRoom: HasRoom;
}

const usual: Bounds = { ownBytes: limits.verifyDatabaseBytes, hasRoom: hasRoomInMemory };

export function verifyDatabasesStep(deps: Deps, bounds: Bounds = usual): VaultDataSteps['verifyDatabases'] {
  return activity(async ({ bundle, ...place }, run) => {
    const { manifest } = await readManifest(deps, { ...place, bundle, signal: run.signal });
    const of: Checking = { deps, place, manifest, bounds, run };
    const found: Told[] = [];
    for (const segment of manifest.segments.filter(({ base, kind }) => base === 'copies' && kind !== 'range'))
      await whileGood(async () => {
        for await (const one of checkTar(of, segment)) found.push(one);
      });
    for (const ranges of await rangesByFile(of))
      await whileGood(async () => void found.push(await checkRanges(of, ranges)));
    return summary(found, { bundle, store: place.store });
  });
}

interface Checking {
  readonly deps: Deps;
  readonly place: InStore;
  readonly manifest: Manifest;
  readonly bounds: Bounds;
  readonly run: Run;
}

interface Told {
  readonly segment: ManifestSegment;
  readonly sizeBytes: number;
  /** Undefined: there was no room to check it. */
  readonly verdict: DatabaseVerdict | undefined;
}

function summary(
  found: readonly Told[],
  { bundle, store }: Pick<ObjectFault, 'bundle' | 'store'>,
): Awaited<ReturnType<VaultDataSteps['verifyDatabases']>> {
  const unchecked = found.filter(({ verdict }) => verdict === undefined);
  const damaged = found.filter(({ verdict }) => verdict === 'damaged');
  return {
    checked: found.length - unchecked.length,
    tooLarge: unchecked.length,
    unchecked: unchecked
      .slice(0, limits.uncheckedShown)
      .map(({ segment, sizeBytes }): UncheckedDatabase => ({ bundle, segment: segment.id, sizeBytes })),
    dangling: found.filter(({ verdict }) => verdict === 'dangling').length,
    faults: damaged.map(({ segment: { id, component } }) => ({
      bundle,
      segment: id,
      component,
      object: 'database',
      what: 'damaged',
      store,
    })),
  };
}

/** A segment that is bad itself is named by verifySegments. */
async function whileGood(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isBad =
      isFailure(error, 'BundleDamaged') || isFailure(error, 'ObjectMissing') || isFailure(error, 'BundleKeyWrong');
    if (!isBad) throw error;
  }
}

function stored({ deps, place, manifest, run: { signal } }: Checking, { id }: ManifestSegment): StoredSegment {
  return storedOf(deps, { ...place, segment: { bundle: manifest.bundle, id }, signal }, manifest);
}

async function* checkTar(of: Checking, segment: ManifestSegment): AsyncGenerator<Told> {
  const plain = await stored(of, segment).plain();
  for await (const member of readTarMembers(plain, of.bounds.ownBytes)) {
    if ('body' in member) {
      const { sizeBytes, body } = member;
      yield { segment, sizeBytes, verdict: await checkLarge(of, sizeBytes, body) };
    } else {
      of.run.countBytes(member.length);
      yield { segment, sizeBytes: member.length, verdict: await checkDatabase(member, of.run.signal) };
    }
  }
}

/** Ranges of one database each, in its order; a file that has lost one is left out: verifySegments names that. */
async function rangesByFile(of: Checking): Promise<readonly (readonly ManifestSegment[])[]> {
  const files = new Map<string, ManifestSegment[]>();
  for (const segment of of.manifest.segments.filter(({ base, kind }) => base === 'copies' && kind === 'range'))
    await whileGood(async () => {
      const { entries } = await stored(of, segment).index();
      const name = entries.map((entry) => pathOf(entry).toString('latin1')).join();
      files.set(name, [...(files.get(name) ?? []), segment]);
    });
  const offsetOf = ({ range }: ManifestSegment): number => range?.offset ?? 0;
  return [...files.values()].map((ranges) => ranges.toSorted((a, b) => offsetOf(a) - offsetOf(b)));
}

async function checkRanges(of: Checking, ranges: readonly ManifestSegment[]): Promise<Told> {
  const [segment] = ranges as [ManifestSegment];
  const sizeBytes = ranges.reduce((sum, { range }) => sum + (range?.length ?? 0), 0);
  const bytes = async function* (): AsyncGenerator<Buffer> {
    for (const range of ranges) yield* (await stored(of, range).plain()) as AsyncIterable<Buffer>;
  };
  return { segment, sizeBytes, verdict: await checkLarge(of, sizeBytes, Readable.from(bytes())) };
}

/** Undefined when there is no room; then the body has been left alone. */
async function checkLarge(of: Checking, sizeBytes: number, body: Readable): Promise<DatabaseVerdict | undefined> {
  const { run, bounds } = of;
  if (!(await bounds.hasRoom(sizeBytes))) return undefined;
  return withMemoryFile(async (path) => {
    await pipeline(body, countingBytes(run), createWriteStream(path, { mode: 0o600, flags: 'wx' }), {
      signal: run.signal,
    });
    return verdictOf(new Worker(threadPath, { workerData: path }), run.signal);
  });
}

const threadPath = new URL('./database-thread.ts', import.meta.url);

/** May be called again; the bytes are gone afterwards. A file without a byte is a database that nobody wrote to yet. */
export async function checkDatabase(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<DatabaseVerdict> {
  if (bytes.length === 0) return 'sound';
  return verdictOf(new Worker(threadPath, { workerData: bytes, transferList: [bytes.buffer] }), signal);
}

async function verdictOf(thread: Worker, signal: AbortSignal): Promise<DatabaseVerdict> {
  const { promise, resolve, reject } = Promise.withResolvers<DatabaseVerdict>();
  thread.once('message', resolve).once('error', reject);
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort);
  try {
    signal.throwIfAborted();
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await thread.terminate();
  }
}
