// Looks at the chosen bundles as a whole before a byte is staged: every object is in the store with its recorded size,
// each index describes the segment that the manifest names, the members of all of them make one tree, in which nothing
// leads through a link, and the secrets open and hold what is wanted. Each archive is audited again while it streams.

import type { SegmentIndex } from '../../bundle/index-file.ts';
import type { Manifest, ManifestSegment } from '../../bundle/manifest.ts';
import { indexKey, indexesPrefix, segmentKey, segmentsPrefix } from '../../bundle/object-keys.ts';
import { requireOneTree, requireWholeFiles } from '../../bundle/restore-plan.ts';
import { decodeSecrets } from '../../bundle/secrets-file.ts';
import type { ChosenSegment } from '../../contract/step-types.ts';
import type { VaultDataSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import { fromCopies } from '../copied-store.ts';
import type { Deps } from '../deps.ts';
import { stagePlace } from '../lane-paths.ts';
import { readManifest } from '../manifests.ts';
import { readWhole } from '../read-whole.ts';
import { storedSizes } from '../stored-sizes.ts';
import { activity, type Run } from '../step.ts';
import { openStored, storedOf } from './open-stored.ts';
import { pickItems } from './rehydrate-secrets.ts';

interface Opened {
  readonly entry: ManifestSegment;
  readonly index: SegmentIndex;
}

type Request = Parameters<VaultDataSteps['checkBundles']>[0];

export function checkBundlesStep(deps: Deps): VaultDataSteps['checkBundles'] {
  return activity((request, run) => fromCopies(deps, request, (reading) => checkBundles(reading, request, run)));
}

async function checkBundles(deps: Deps, request: Request, run: Run): Promise<{ members: number }> {
  const manifests = await readManifests(deps, request, run);
  await requireObjects(deps, request, manifests, run);
  const opened = await openAll(deps, request, manifests, run);
  for (const segment of request.segments.filter(({ kind }) => kind === 'secrets'))
    await requireSecrets(deps, request, segment, run);
  for (const place of ['home', 'plists', 'logs'] as const)
    requireFitting(opened.filter(({ entry }) => stagePlace(entry.component) === place));
  return { members: opened.reduce((sum, { index }) => sum + index.entries.length, 0) };
}

async function readManifests(deps: Deps, request: Request, { signal }: Run): Promise<Map<string, Manifest>> {
  const manifests = new Map<string, Manifest>();
  for (const bundle of new Set(request.segments.map((segment) => segment.bundle))) {
    manifests.set(bundle, (await readManifest(deps, { ...request, bundle, signal })).manifest);
  }
  return manifests;
}

function entryOf(
  manifests: ReadonlyMap<string, Manifest>,
  { bundle, id }: ChosenSegment,
): { manifest: Manifest; entry: ManifestSegment } {
  const manifest = manifests.get(bundle);
  const entry = manifest?.segments.find((segment) => segment.id === id);
  if (manifest && entry) return { manifest, entry };
  throw new Failure('BundleDamaged', `bundle ${bundle} has no segment ${id}`, { bundle, segment: id });
}

/** By the store's listing: what is gone or has another size is found without fetching it. */
async function requireObjects(
  deps: Deps,
  { lane, store, segments }: Request,
  manifests: ReadonlyMap<string, Manifest>,
  { signal }: Run,
): Promise<void> {
  const sizes = await storedSizes(deps.store(store), [segmentsPrefix(lane), indexesPrefix(lane)], signal);
  for (const chosen of segments) {
    const { fingerprint, suffix, sealedBytes, index } = entryOf(manifests, chosen).entry;
    requireSize(
      sizes,
      { key: segmentKey(lane, fingerprint, suffix), expectedBytes: sealedBytes, what: 'segment' },
      chosen,
    );
    requireSize(
      sizes,
      { key: indexKey(lane, fingerprint, index.suffix), expectedBytes: index.sealedBytes, what: 'index of segment' },
      chosen,
    );
  }
}

interface Wanted {
  readonly key: string;
  readonly expectedBytes: number;
  readonly what: string;
}

function requireSize(
  sizes: ReadonlyMap<string, number>,
  { key, expectedBytes, what }: Wanted,
  { bundle, id }: ChosenSegment,
): void {
  const actualBytes = sizes.get(key);
  if (actualBytes === expectedBytes) return;
  const context = { bundle, segment: id, key, expectedBytes };
  if (actualBytes === undefined)
    throw new Failure('ObjectMissing', `the ${what} ${id} of bundle ${bundle} is not in the store`, context);
  throw new Failure(
    'BundleDamaged',
    `the ${what} ${id} of bundle ${bundle} is ${actualBytes} bytes, manifest says ${expectedBytes}`,
    { ...context, actualBytes },
  );
}

/** A gateway without its secrets answers 401: they are opened while the old one still runs. */
async function requireSecrets(
  deps: Deps,
  { fleet, lane, store, secrets }: Request,
  segment: ChosenSegment,
  { signal }: Run,
): Promise<void> {
  const stored = await openStored(deps, { fleet, lane, store, segment, signal });
  pickItems(decodeSecrets(await readWhole(await stored.plain())), secrets, lane);
}

/** Indexes opened at a time: each may hold 64 MiB while it is parsed (limits.indexBytes). */
const atOnce = 4;

async function openAll(
  deps: Deps,
  { segments, ...request }: Request,
  manifests: ReadonlyMap<string, Manifest>,
  { signal }: Run,
): Promise<Opened[]> {
  const opened: Opened[] = [];
  const trees = segments.filter(({ kind }) => kind !== 'secrets');
  for (let at = 0; at < trees.length; at += atOnce) {
    signal.throwIfAborted();
    const batch = trees.slice(at, at + atOnce).map(async (segment) => {
      const { manifest, entry } = entryOf(manifests, segment);
      const index = await storedOf(deps, { ...request, segment, signal }, manifest).index();
      requireDescribed(entry, index, segment);
      return { entry, index };
    });
    opened.push(...(await Promise.all(batch)));
  }
  return opened;
}

/** A reused segment's index has the number that it had in its own bundle. */
function requireDescribed(entry: ManifestSegment, index: SegmentIndex, { bundle, id }: ChosenSegment): void {
  const head = ({
    component,
    kind,
    base,
    range,
  }: Pick<ManifestSegment, 'component' | 'kind' | 'base' | 'range'>): string =>
    JSON.stringify([component, kind, base, range?.offset, range?.length]);
  if (head(entry) === head(index) && entry.members === index.entries.length) return;
  throw new Failure('BundleDamaged', `the index of segment ${id} of bundle ${bundle} does not describe that segment`, {
    bundle,
    segment: id,
  });
}

function requireFitting(opened: readonly Opened[]): void {
  const plain = opened.filter(({ entry }) => !entry.supplement);
  const supplements = opened.filter(({ entry }) => entry.supplement);
  requireOneTree(
    plain.map(({ index }) => index.entries),
    supplements.map(({ entry, index }) => ({ kind: entry.kind, entries: index.entries })),
  );
  requireWholeFiles(
    plain.flatMap(({ entry: { range }, index }) => (range ? index.entries.map((entry) => ({ entry, ...range })) : [])),
  );
}
