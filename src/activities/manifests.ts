// Manifests in the store: read, checked before use, and the newest found. Bundle ids sort by time.

import { type Manifest, openManifest, type OpenManifestOptions } from '../bundle/manifest.ts';
import { manifestKey, manifestsPrefix } from '../bundle/object-keys.ts';
import { Failure, type FailureCode, isFailure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { bundleIdPattern } from '../domain/terms.ts';
import type { Store } from '../store/store.ts';
import { CopiedStore, isSilence } from './copied-store.ts';
import type { Deps } from './deps.ts';
import { readWhole } from './read-whole.ts';

export interface ManifestRequest {
  readonly fleet: string;
  readonly lane: string;
  readonly store: string;
  readonly bundle: string;
  readonly signal: AbortSignal;
}

/** Of copies, the first good one. ObjectMissing, BundleSignatureBad, BundleForeign, BundleFormatUnknown, BundleDamaged. */
export async function readManifest(
  deps: Deps,
  request: ManifestRequest,
): Promise<{ manifest: Manifest; sha256: string; bytes: Buffer }> {
  const store = deps.store(request.store);
  if (!(store instanceof CopiedStore)) return readFrom(deps, store, request);
  const failures: unknown[] = [];
  for (const copy of store.copies) {
    try {
      const read = await readFrom(deps, copy, request);
      store.gave.set(manifestKey(request.lane, request.bundle), copy.name);
      return read;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
    }
  }
  throw failures.find(isSilence) ?? failures.find((error) => !isFailure(error, 'ObjectMissing')) ?? failures[0];
}

async function readFrom(
  deps: Deps,
  store: Store,
  { fleet, lane, bundle, signal }: ManifestRequest,
): Promise<{ manifest: Manifest; sha256: string; bytes: Buffer }> {
  const bytes = await readWhole(await store.get(manifestKey(lane, bundle), { signal }));
  if (bytes.length > limits.manifestBytes) {
    throw new Failure(
      'BundleDamaged',
      `the manifest of bundle ${bundle} has ${bytes.length} bytes, at most ${limits.manifestBytes} are allowed`,
      { bundle },
    );
  }
  const opened = openNamed(bytes, { publicKeysPem: await deps.keys.manifestPublicKeysPem(), fleet, lane }, bundle);
  if (opened.manifest.bundle === bundle) return { ...opened, bytes };
  throw new Failure(
    'BundleDamaged',
    `the manifest of bundle ${bundle} says that it is of bundle ${opened.manifest.bundle}`,
    { bundle },
  );
}

/** What is wrong with a manifest is told with the id under which it lies in the store. */
function openNamed(bytes: Buffer, options: OpenManifestOptions, bundle: string): ReturnType<typeof openManifest> {
  try {
    return openManifest(bytes, options);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(
      error.code,
      `manifest ${bundle}: ${error.message}`,
      { ...error.context, bundle },
      { cause: error },
    );
  }
}

export type CheckedManifest = Awaited<ReturnType<typeof readManifest>>;

/** What is wrong with one manifest itself; another bundle of the lane may do. */
const unusable: ReadonlySet<FailureCode> = new Set([
  'BundleDamaged',
  'BundleSignatureBad',
  'BundleFormatUnknown',
  'BundleForeign',
]);

/**
 * The manifests of these bundles that pass their checks, in the order of the ids; none is read before it is asked for.
 * One that was removed since it was listed is left out silently.
 * @param passOver hears of each that does not pass
 */
export async function* goodManifests(
  deps: Deps,
  request: Omit<ManifestRequest, 'bundle'>,
  bundles: readonly string[],
  passOver: (bundle: string, failure: Failure) => void = () => undefined,
): AsyncGenerator<CheckedManifest> {
  for (const bundle of bundles) {
    try {
      yield await readManifest(deps, { ...request, bundle });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (unusable.has(error.code)) passOver(bundle, error);
      else if (error.code !== 'ObjectMissing') throw error;
    }
  }
}

/** Ids of all bundles of a lane, newest first. */
export async function listBundles(
  deps: Deps,
  { lane, store, signal }: Pick<ManifestRequest, 'lane' | 'store' | 'signal'>,
): Promise<string[]> {
  const prefix = manifestsPrefix(lane);
  const ids: string[] = [];
  for await (const { key } of deps.store(store).list(prefix, { signal })) {
    const id = key.slice(prefix.length).replace(/\.json$/, '');
    if (bundleIdPattern.test(id)) ids.push(id);
  }
  return ids.toSorted().toReversed();
}
