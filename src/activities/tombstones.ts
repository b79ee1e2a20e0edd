// The tombstones of a lane's bundles. One counts when it is signed and names the very bytes of the manifest that lies
// there: else whoever may write the store could hide every bundle from restores.
//
// Whoever chooses or reuses lists them first and reads manifests afterwards. A bundle that is chosen had no tombstone at
// that moment, so that its grace, longer than any backup or restore, begins later.

import type { Readable } from 'node:stream';
import type { Manifest } from '../bundle/manifest.ts';
import { tombstoneKey, tombstonesPrefix } from '../bundle/object-keys.ts';
import { encodeTombstone, openTombstone, type Tombstone } from '../bundle/tombstone.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { bundleIdPattern } from '../domain/terms.ts';
import type { Store } from '../store/store.ts';
import type { Deps } from './deps.ts';
import { type CheckedManifest, goodManifests, listBundles, type ManifestRequest } from './manifests.ts';
import { readWhole } from './read-whole.ts';

export type LaneRequest = Omit<ManifestRequest, 'bundle'>;

export interface Checked {
  readonly manifest: Manifest;
  readonly sha256: string;
}

export interface Buried {
  /** By Temporal's clock. */
  readonly tombstonedAtMs: number;
  /** By the store's. */
  readonly storedAtMs: number;
}

/** Undefined where none lies; a Failure where one lies that is not ours. */
export type Burial = Buried | Failure | undefined;

/** Sets a tombstone; one that is there stays. May be repeated. */
export async function bury(
  store: Store,
  tombstone: Tombstone,
  { signer, signal }: { readonly signer: { readonly privateKeyPem: string }; readonly signal: AbortSignal },
): Promise<void> {
  const key = tombstoneKey(tombstone.lane, tombstone.bundle);
  try {
    // a bundle that is kept again loses its tombstone: a lock on it would hold the bundle back
    await store.put(key, encodeTombstone(tombstone, signer), { signal, passing: true });
  } catch (error) {
    // an earlier attempt has set it; whose it is, is looked at before anything is removed
    if (!isFailure(error, 'ObjectExists')) throw error;
  }
}

/** When each tombstone of a lane was stored, by its bundle. */
export async function listTombstones(deps: Deps, { lane, store, signal }: LaneRequest): Promise<Map<string, number>> {
  const prefix = tombstonesPrefix(lane);
  const stored = new Map<string, number>();
  for await (const { key, modifiedAtMs } of deps.store(store).list(prefix, { signal })) {
    const id = key.slice(prefix.length).replace(/\.json$/, '');
    if (bundleIdPattern.test(id)) stored.set(id, modifiedAtMs);
  }
  return stored;
}

/** @param listed what {@link listTombstones} has answered */
export async function burialOf(
  deps: Deps,
  request: LaneRequest,
  listed: ReadonlyMap<string, number>,
  { manifest: { bundle }, sha256 }: { readonly manifest: Pick<Manifest, 'bundle'>; readonly sha256: string },
): Promise<Burial> {
  const { fleet, lane } = request;
  const storedAtMs = listed.get(bundle);
  const bytes = storedAtMs === undefined ? undefined : await readIfThere(deps, request, tombstoneKey(lane, bundle));
  if (storedAtMs === undefined || bytes === undefined) return undefined;
  const publicKeysPem = await deps.keys.manifestPublicKeysPem();
  try {
    const of = { fleet, lane, bundle, manifestSha256: sha256 };
    return { tombstonedAtMs: Date.parse(openTombstone(bytes, { publicKeysPem, of }).tombstonedAt), storedAtMs };
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/**
 * The bundles that restores may choose and backups may build on, of these ids and in their order: their manifests pass
 * their checks, and no tombstone of ours lies on them.
 * @param passOver hears of each that does not pass its check
 */
export async function* liveManifests(
  deps: Deps,
  request: LaneRequest,
  bundles: readonly string[],
  passOver?: (bundle: string, failure: Failure) => void,
): AsyncGenerator<CheckedManifest> {
  const tombstones = await listTombstones(deps, request);
  for await (const checked of goodManifests(deps, request, bundles, passOver)) {
    const burial = await burialOf(deps, request, tombstones, checked);
    if (burial === undefined || burial instanceof Failure) yield checked;
  }
}

/** All bundles of a lane, newest first. Throws for a manifest that cannot be used: what it names is not known. */
export async function readBundles(deps: Deps, request: LaneRequest): Promise<(Checked & { burial: Burial })[]> {
  const tombstones = await listTombstones(deps, request);
  const bundles = [];
  const refuse = (_bundle: string, failure: Failure): never => {
    throw failure;
  };
  for await (const checked of goodManifests(deps, request, await listBundles(deps, request), refuse))
    bundles.push({ ...checked, burial: await burialOf(deps, request, tombstones, checked) });
  return bundles;
}

async function readIfThere(deps: Deps, { store, signal }: LaneRequest, key: string): Promise<Buffer | undefined> {
  let stream: Readable;
  try {
    stream = await deps.store(store).get(key, { signal });
  } catch (error) {
    if (isFailure(error, 'ObjectMissing')) return undefined;
    throw error;
  }
  return readWhole(stream);
}
