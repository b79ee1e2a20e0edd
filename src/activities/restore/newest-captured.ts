// The newest of a lane's good manifests that is wanted, by the time of its capture; those that fail their check on the way
// are noted, for the plan to tell.

import type { Manifest } from '../../bundle/manifest.ts';
import type { BundleChoice } from '../../contract/step-types.ts';
import type { Failure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { bundleIdOf } from '../../domain/terms.ts';
import type { Proven } from '../../receipt/proven.ts';
import type { Deps } from '../deps.ts';
import { type CheckedManifest, listBundles } from '../manifests.ts';
import { liveManifests } from '../tombstones.ts';

export interface PassedOver {
  readonly bundle: string;
  readonly failure: Failure;
}

export interface Search {
  readonly deps: Deps;
  readonly choice: BundleChoice;
  readonly signal: AbortSignal;
  readonly proven: Proven;
  /** Manifests that failed their check on the way, newest first. */
  readonly passedOver: PassedOver[];
}

/** The lane's good manifests, newest first; of the others, those that may have been wanted are noted. */
async function* goodOnes(
  { deps, choice, signal, passedOver }: Search,
  among: (bundle: string) => boolean,
  mayBeWanted: () => boolean,
): AsyncGenerator<CheckedManifest> {
  const bundles = (await listBundles(deps, { ...choice, signal })).filter(among);
  const passOver = (bundle: string, failure: Failure): void => {
    const isNoted = passedOver.some((one) => one.bundle === bundle);
    if (!isNoted && mayBeWanted() && mayBeBy(bundle, choice.at)) passedOver.push({ bundle, failure });
  };
  yield* liveManifests(deps, { ...choice, signal }, bundles, passOver);
}

/** A bundle that began after the instant was not captured by it, whatever its manifest would have said. */
function mayBeBy(bundle: string, at: string | undefined): boolean {
  return at === undefined || bundle <= bundleIdOf(Date.parse(at), 'ffffffff');
}

/**
 * By the time of the capture. Bundles are listed by the start of their runs: one that waited for its lane, or retried,
 * captured later than some that started after it; so a few more are looked at behind the first that is wanted.
 */
export async function newestCaptured(
  search: Search,
  isWanted: (one: CheckedManifest) => boolean,
  among: (bundle: string) => boolean = () => true,
): Promise<CheckedManifest | undefined> {
  let newest: CheckedManifest | undefined;
  let more = limits.manifestsSearched;
  for await (const one of goodOnes(search, among, () => newest === undefined)) {
    if (newest && (more -= 1) < 0) break;
    if (isWanted(one) && (!newest || capturedMs(one.manifest) > capturedMs(newest.manifest))) newest = one;
  }
  return newest;
}

export function capturedMs({ capturedAt }: Manifest): number {
  return Date.parse(capturedAt);
}
