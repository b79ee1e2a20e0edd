// The databases of a bundle, checked as databases: `integrity_check` and `foreign_key_check`. They hold conversations, and
// databases of the configuration secrets too: so they are opened in memory, one at a time, and never touch a disk of the
// worker, whatever becomes of it. The check itself runs in a thread, for it would stop the worker's heartbeats.

import { Worker } from 'node:worker_threads';
import { limits } from '../../domain/limits.ts';
import { readTarMembers } from '../../bundle/tar-members.ts';
import type { ManifestSegment } from '../../bundle/manifest.ts';
import type { ObjectFault } from '../../contract/results.ts';
import type { VaultDataSteps } from '../../contract/steps.ts';
import { isFailure } from '../../domain/failure.ts';
import type { Deps } from '../deps.ts';
import { readManifest } from '../manifests.ts';
import { storedOf } from '../restore/open-stored.ts';
import { activity } from '../step.ts';
import type { DatabaseVerdict } from './database-thread.ts';

export function verifyDatabasesStep(deps: Deps): VaultDataSteps['verifyDatabases'] {
  return activity(async (request, { signal }) => {
    const { manifest } = await readManifest(deps, { ...request, signal });
    const copies = manifest.segments.filter(({ base }) => base === 'copies');
    const faults: ObjectFault[] = [];
    let [checked, dangling] = [0, 0];
    let tooLarge = copies.filter(isRange).filter(({ range }) => range?.offset === 0).length;
    for (const { id, component } of copies.filter((segment) => !isRange(segment))) {
      const stored = storedOf(deps, { ...request, segment: { bundle: request.bundle, id }, signal }, manifest);
      try {
        for await (const bytes of readTarMembers(await stored.plain(), limits.verifyDatabaseBytes)) {
          if (bytes === 'too-large') tooLarge += 1;
          else {
            checked += 1;
            const verdict = await checkDatabase(bytes, signal);
            if (verdict === 'dangling') dangling += 1;
            if (verdict !== 'damaged') continue;
            faults.push({
              bundle: request.bundle,
              segment: id,
              component,
              object: 'database',
              what: 'damaged',
              store: request.store,
            });
          }
        }
      } catch (error) {
        // the segment itself is bad: verifySegments names it
        if (
          !isFailure(error, 'BundleDamaged') &&
          !isFailure(error, 'ObjectMissing') &&
          !isFailure(error, 'BundleKeyWrong')
        )
          throw error;
      }
    }
    return { checked, tooLarge, dangling, faults };
  });
}

function isRange({ kind }: Pick<ManifestSegment, 'kind'>): boolean {
  return kind === 'range';
}

/** May be called again; the bytes are gone afterwards. */
export async function checkDatabase(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<DatabaseVerdict> {
  const { promise, resolve, reject } = Promise.withResolvers<DatabaseVerdict>();
  const thread = new Worker(new URL('./database-thread.ts', import.meta.url), {
    workerData: bytes,
    transferList: [bytes.buffer],
  });
  thread.once('message', resolve).once('error', reject);
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await thread.terminate();
  }
}
