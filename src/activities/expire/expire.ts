// Expiry in two phases (docs/architecture.md, "Expiry"). First a signed tombstone: from then on backups reuse nothing
// of the bundle and restores do not choose it. After a grace that is longer than the longest backup everything is read
// again, and what is still to go is removed: the manifest first, so that none ever names what is gone; then what no
// remaining manifest names. Whoever dies in between leaves objects that nothing names, and the next run finds them.

import { manifestKey, tombstoneKey } from '../../bundle/object-keys.ts';
import { type ExpiryRequest, type ExpiryVerdict, nothingRemoved } from '../../contract/expiry.ts';
import type { DataSteps, VaultSteps } from '../../contract/steps.ts';
import { limits } from '../../domain/limits.ts';
import type { Deps } from '../deps.ts';
import { objectsOf } from '../bundle-objects.ts';
import { provenBundles } from '../receipts/proven-bundles.ts';
import { activity, type Run } from '../step.ts';
import { bury, type Checked, listTombstones, readBundles } from '../tombstones.ts';
import { deleteUnlocked, Locks, storeTime } from './clocks.ts';
import { judge, type Judged } from './judge.ts';
import { removeUnnamed } from './unnamed.ts';

export function planExpiryStep(deps: Deps): VaultSteps['planExpiry'] {
  return activity(async (request, run) => {
    const { standsStill, bundles } = await judgeNow(deps, request, run);
    const expiring = bundles.filter(({ state }) => state === 'expires');
    return {
      standsStill,
      bundles: bundles.slice(0, limits.verdictsShown).map(verdictOf),
      bundlesTotal: bundles.length,
      expiringBytes: expiringBytes(bundles),
      toBury: expiring
        .toReversed()
        .slice(0, limits.tombstonesPerRun)
        .map(({ manifest, sha256 }) => ({ bundle: manifest.bundle, manifestSha256: sha256 })),
    };
  });
}

export function buryBundlesStep(deps: Deps): DataSteps['buryBundles'] {
  return activity(async ({ fleet, lane, store, bundles, tombstonedAt }, { signal }) => {
    const signer = await deps.keys.manifestSigner();
    for (const one of bundles)
      await bury(deps.store(store), { format: 1, fleet, lane, ...one, tombstonedAt }, { signer, signal });
  });
}

export function removeExpiredStep(deps: Deps): VaultSteps['removeExpired'] {
  return activity(async (request, run) => {
    const { lane, store, retention } = request;
    const { standsStill, bundles, storeMs } = await judgeNow(deps, request, run);
    if (standsStill !== null) return nothingRemoved;
    const reprieved = await removeTombstones(deps, request, idsOf(bundles, 'reprieved'));
    const locks = new Locks();
    const removedBundles = await removeManifests(deps, request, { due: idsOf(bundles, 'due'), locks }, run);
    const left = await readAll(deps, request, run);
    const named = new Set(left.flatMap(keysOf));
    const rule = { lane, named, olderThanMs: storeMs - retention.graceMs, signal: run.signal };
    const { keptObjects: _, ...removed } = await removeUnnamed(deps.store(store), rule, locks);
    await removeOldTombstones(deps, request, left, run);
    return {
      removedBundles,
      ...removed,
      staleUploads: await deps.store(store).sweepUploads(lane, retention.graceMs),
      reprieved,
    };
  });
}

function idsOf(bundles: readonly Judged[], state: ExpiryVerdict['state']): string[] {
  return bundles.filter((bundle) => bundle.state === state).map(({ manifest }) => manifest.bundle);
}

async function judgeNow(
  deps: Deps,
  { fleet, lane, store, primary, retention, timeZone, nowMs }: ExpiryRequest,
  run: Run,
): Promise<ReturnType<typeof judge> & { readonly storeMs: number }> {
  const { signal } = run;
  const storeMs = await storeTime(deps.store(store), lane, run);
  const bundles = await readBundles(deps, { fleet, lane, store, signal });
  const receipts = await provenBundles(deps, { fleet, lane, store: primary, signal });
  return { ...judge({ bundles, receipts, retention, timeZone, storeMs, nowMs }), storeMs };
}

function verdictOf({ manifest, state, reasons, goesAtMs }: Judged): ExpiryVerdict {
  const { bundle, tier } = manifest;
  return { bundle, tier, state, reasons, goesAt: goesAtMs === null ? null : new Date(goesAtMs).toISOString() };
}

const goes: readonly ExpiryVerdict['state'][] = ['expires', 'tombstoned', 'due'];

function expiringBytes(bundles: readonly Judged[]): number {
  const kept = new Set(bundles.filter(({ state }) => !goes.includes(state)).flatMap(keysOf));
  const objects = bundles.flatMap(({ manifest }) => objectsOf(manifest)).filter(({ key }) => !kept.has(key));
  const freed = new Map(objects.map(({ key, expected }) => [key, expected.sizeBytes]));
  return [...freed.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0);
}

function keysOf({ manifest }: Checked): string[] {
  return objectsOf(manifest).map(({ key }) => key);
}

async function removeManifests(
  deps: Deps,
  { lane, store }: ExpiryRequest,
  { due, locks }: { readonly due: readonly string[]; readonly locks: Locks },
  { signal }: Run,
): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const bundle of due) {
    signal.throwIfAborted();
    if (await deleteUnlocked(deps.store(store), manifestKey(lane, bundle), locks)) gone.push(bundle);
  }
  return gone;
}

/** The bundles of the store, and of the primary: one of these may be on its way to a replica. */
async function readAll(
  deps: Deps,
  { fleet, lane, store, primary }: ExpiryRequest,
  { signal }: Run,
): Promise<readonly Checked[]> {
  const all: Checked[] = [];
  for (const one of new Set([store, primary]))
    all.push(...(await readBundles(deps, { fleet, lane, store: one, signal })));
  return all;
}

/** A tombstone outlives its bundle for as long as another bundle says that it followed it: the gap is ours. */
async function removeOldTombstones(
  deps: Deps,
  request: ExpiryRequest,
  bundles: readonly Checked[],
  { signal }: Run,
): Promise<void> {
  const { fleet, lane, store } = request;
  const tombstones = await listTombstones(deps, { fleet, lane, store, signal });
  const needed = new Set(bundles.flatMap(({ manifest }) => [manifest.bundle, manifest.predecessor?.bundle]));
  await removeTombstones(
    deps,
    request,
    [...tombstones.keys()].filter((bundle) => !needed.has(bundle)),
  );
}

/** @returns how many are gone */
async function removeTombstones(
  deps: Deps,
  { lane, store }: ExpiryRequest,
  bundles: readonly string[],
): Promise<number> {
  let gone = 0;
  for (const bundle of bundles) if (await deleteUnlocked(deps.store(store), tombstoneKey(lane, bundle))) gone += 1;
  return gone;
}
