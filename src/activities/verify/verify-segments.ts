// Reads stored segments to their end: all by their sealed digest; of the sample each is opened, and every member's digest
// compared with the index. The plain bytes go nowhere: they pass the check in memory.

import { pipeline } from 'node:stream/promises';
import { countAndHash } from '../../bundle/digest.ts';
import { decodeSecrets } from '../../bundle/secrets-file.ts';
import { auditTar } from '../../bundle/tar-audit.ts';
import type { ObjectFault } from '../../contract/results.ts';
import type { VaultDataSteps } from '../../contract/steps.ts';
import { Failure, type FailureCode } from '../../domain/failure.ts';
import { type BundleObject, objectsOf } from '../bundle-objects.ts';
import { lookAt } from '../copy/copy-segments.ts';
import { countingBytes } from '../count-bytes.ts';
import type { Deps } from '../deps.ts';
import { readManifest } from '../manifests.ts';
import { readWhole } from '../read-whole.ts';
import { storedOf, type StoredSegment } from '../restore/open-stored.ts';
import { activity, type Run } from '../step.ts';
import { nowhere } from './nowhere.ts';

export function verifySegmentsStep(deps: Deps): VaultDataSteps['verifySegments'] {
  return activity(async (request, run) => {
    const { store, bundle, segments, open } = request;
    const { signal } = run;
    const { manifest } = await readManifest(deps, { ...request, signal });
    const faults: ObjectFault[] = [];
    let [members, readBytes] = [0, 0];
    for (const id of segments) {
      signal.throwIfAborted();
      const [segment, index] = objectsOf(manifest).filter((object) => object.segment === id);
      if (!segment || !index) throw new Failure('BundleDamaged', `bundle ${bundle} has no segment ${id}`, { bundle });
      const found = await sealedFaults(deps, store, open.includes(id) ? [index] : [segment, index], run);
      faults.push(...found);
      readBytes += segment.expected.sizeBytes + index.expected.sizeBytes;
      if (!open.includes(id) || found.length > 0) continue;
      const stored = storedOf(deps, { ...request, segment: { bundle, id }, signal }, manifest);
      const what = await tryToOpen(() => openWhole(stored, run));
      if (typeof what === 'number') members += what;
      else faults.push({ ...segment.about, what, store });
    }
    return { faults, members, readBytes };
  });
}

async function sealedFaults(
  deps: Deps,
  store: string,
  objects: readonly BundleObject[],
  run: Run,
): Promise<ObjectFault[]> {
  const faults: ObjectFault[] = [];
  for (const object of objects) {
    const what = await lookAt(deps, store, object, run);
    if (what !== 'right') faults.push({ ...object.about, what, store });
  }
  return faults;
}

/** What is wrong with the segment itself, not with the store or the worker. */
const wrong: Partial<Record<FailureCode, ObjectFault['what']>> = {
  ObjectMissing: 'missing',
  BundleDamaged: 'damaged',
  BundleForeign: 'damaged',
  BundleFormatUnknown: 'damaged',
  ArchiveHostile: 'damaged',
  BundleKeyWrong: 'unopenable',
};

async function tryToOpen(work: () => Promise<number>): Promise<number | ObjectFault['what']> {
  try {
    return await work();
  } catch (error) {
    const what = error instanceof Failure ? wrong[error.code] : undefined;
    if (what === undefined) throw error;
    return what;
  }
}

/** @returns how many members were as their index says */
async function openWhole(stored: StoredSegment, run: Run): Promise<number> {
  if (stored.entry.kind === 'secrets') return decodeSecrets(await readWhole(await stored.plain())).length;
  const { entries } = await stored.index();
  const counted = countingBytes(run);
  if (stored.entry.kind === 'range') {
    const hash = countAndHash();
    await pipeline(await stored.plain(), counted, hash, nowhere(), { signal: run.signal });
    if (hash.sha256 !== entries[0]?.sha256)
      throw new Failure('BundleDamaged', `segment ${stored.entry.id} does not hold what its index says`);
    return 1;
  }
  const audit = auditTar({ expect: 'index', entries });
  await pipeline(await stored.plain(), counted, audit.stream, nowhere(), { signal: run.signal });
  audit.result();
  return entries.length;
}
