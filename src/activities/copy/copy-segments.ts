// Copies sealed objects from a store to its replica: no key is needed, nothing is opened. Each is checked against the
// signed manifest on its way, and created, never overwritten. What lies under its key already counts when it has the
// right bytes, so that a step may be repeated after a kill or a lost answer; what has others is named, and stays.

import { pipeline } from 'node:stream/promises';
import { pipeline as connect, type Readable, Writable } from 'node:stream';
import { expectedBytes } from '../../bundle/pipelines.ts';
import type { ObjectFault } from '../../contract/results.ts';
import type { BundleCopy, CopiedSegments } from '../../contract/copies.ts';
import type { VaultDataSteps } from '../../contract/steps.ts';
import { isFailure } from '../../domain/failure.ts';
import { type BundleObject, objectsOf } from '../bundle-objects.ts';
import { countingBytes } from '../count-bytes.ts';
import type { Deps } from '../deps.ts';
import { readManifest } from '../manifests.ts';
import { activity, type Run } from '../step.ts';

export function copySegmentsStep(deps: Deps): VaultDataSteps['copySegments'] {
  return activity(async ({ segments, ...copy }, run) => {
    const { manifest } = await readManifest(deps, { ...copy, store: copy.from, signal: run.signal });
    let [sentObjects, sentBytes, presentObjects] = [0, 0, 0];
    const faults: ObjectFault[] = [];
    for (const object of objectsOf(manifest).filter(({ segment }) => segments.includes(segment))) {
      run.signal.throwIfAborted();
      const done = await copyObject(deps, copy, object, run);
      if (done === 'present') presentObjects += 1;
      else if (done === 'sent') {
        sentObjects += 1;
        sentBytes += object.expected.sizeBytes;
      } else faults.push({ ...object.about, ...done });
    }
    return { sentObjects, sentBytes, presentObjects, faults } satisfies CopiedSegments;
  });
}

type Fault = Pick<ObjectFault, 'what' | 'store'>;

async function copyObject(
  deps: Deps,
  { from, to }: Pick<BundleCopy, 'from' | 'to'>,
  object: BundleObject,
  run: Run,
): Promise<'sent' | 'present' | Fault> {
  const there = await lookAt(deps, to, object, run);
  if (there !== 'missing') return there === 'right' ? 'present' : { what: 'damaged', store: to };
  try {
    const source = await deps.store(from).get(object.key, { signal: run.signal });
    await deps.store(to).put(object.key, checked(source, object, run), { signal: run.signal });
    return 'sent';
  } catch (error) {
    if (isFailure(error, 'ObjectMissing')) return { what: 'missing', store: from };
    if (isFailure(error, 'BundleDamaged')) return { what: 'damaged', store: from };
    if (!isFailure(error, 'ObjectExists')) throw error;
    return (await lookAt(deps, to, object, run)) === 'right' ? 'present' : { what: 'damaged', store: to };
  }
}

/** Ends only when the bytes were the manifest's, so that nothing else is ever created. */
function checked(source: Readable, { expected }: BundleObject, run: Run): Readable {
  const counted = countingBytes(run);
  connect(source, expectedBytes(expected), counted, () => undefined); // the error comes out of the last
  return counted;
}

/** Reads a whole object and compares it with the manifest. */
export async function lookAt(
  deps: Deps,
  store: string,
  { key, expected }: Pick<BundleObject, 'key' | 'expected'>,
  run: Run,
): Promise<'right' | 'missing' | 'damaged'> {
  try {
    const stored = await deps.store(store).get(key, { signal: run.signal });
    await pipeline(stored, expectedBytes(expected), countingBytes(run), nowhere(), { signal: run.signal });
    return 'right';
  } catch (error) {
    if (isFailure(error, 'ObjectMissing')) return 'missing';
    if (isFailure(error, 'BundleDamaged')) return 'damaged';
    throw error;
  }
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
