// Which bundle a bad upgrade is gone back from to: of the good ones of a lane, in its store and replica.

import type { UpgradeSteps } from '../../contract/upgrade.ts';
import { Failure } from '../../domain/failure.ts';
import { preUpgradeOf, type VersionedBundle } from '../../domain/pre-upgrade.ts';
import { isWorthWaiting, readingCopies } from '../copied-store.ts';
import type { Deps } from '../deps.ts';
import { requireDigest } from '../host/lanes.ts';
import { listBundles } from '../manifests.ts';
import { activity } from '../step.ts';
import { liveManifests } from '../tombstones.ts';

export function choosePreUpgradeStep(deps: Deps): UpgradeSteps['choosePreUpgrade'] {
  return activity(async ({ lane, fleetDigest, now }, { signal, attempt }) => {
    requireDigest(deps.fleet, fleetDigest, { lane });
    const { fleet, store, replica } = deps.fleet.laneSpec(lane);
    const { deps: both, copies } = readingCopies(deps, { store, ...(replica === undefined ? {} : { replica }) });
    const good = await goodBundles(both, { fleet, lane, store, signal });
    // what the replica lacks may be the very one
    const silent = copies.silent.get(store);
    if (silent && isWorthWaiting(silent, attempt)) throw silent;
    const found = preUpgradeOf(good, now);
    if (found === undefined)
      throw new Failure('NoRestorePoint', `lane ${lane} has no good bundle of tier B or C`, { lane });
    const { bundle, version, capturedAt } = found.chosen;
    return { bundle, version, capturedAt, because: found.because };
  });
}

type Request = Parameters<typeof liveManifests>[1];

/** Newest first. An imported bundle says nothing of the version that wrote it. */
async function goodBundles(deps: Deps, request: Request): Promise<VersionedBundle[]> {
  const good: VersionedBundle[] = [];
  const listed = await listBundles(deps, request);
  for await (const { manifest } of liveManifests(deps, request, listed, () => undefined)) {
    const { bundle, tier, capturedAt, host, suspect = [], imported } = manifest;
    if (suspect.length === 0 && imported === undefined)
      good.push({ bundle, tier, capturedAt, version: host.openclawVersion ?? null });
  }
  return good;
}
