// The choice of bundles where there are two stores to choose from, and which of them is read first.

import { manifestKey } from '../../bundle/object-keys.ts';
import type { BundleChoice, ChosenBundles } from '../../contract/step-types.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { isWorthWaiting, readingCopies } from '../copied-store.ts';
import type { Deps } from '../deps.ts';
import { activity, type Run } from '../step.ts';
import { chooseBundles } from './choose-bundles.ts';

export function chooseBundlesStep(deps: Deps): VaultSteps['chooseBundles'] {
  return activity((choice, run) => chooseAmongCopies(deps, choice, run));
}

/**
 * Among the bundles of store and replica. The replica may lack the newest: a store that does not answer is asked again
 * for some seconds, before what the replica has is taken alone.
 */
export async function chooseAmongCopies(
  deps: Deps,
  choice: BundleChoice,
  { signal, attempt }: Pick<Run, 'signal' | 'attempt'>,
): Promise<ChosenBundles> {
  const { store, replica } = choice;
  if (replica === undefined) return chooseBundles(deps, choice, signal);
  const { deps: both, copies } = readingCopies(deps, choice);
  const chosen = await chooseBundles(both, choice, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw copies.silent.get(store) ?? error; // what the replica lacks may lie in the silent store
  });
  const silent = copies.silent.get(store);
  if (silent && isWorthWaiting(silent, attempt)) throw silent;
  const gave = copies.gave.get(manifestKey(choice.lane, chosen.bundle));
  if (gave !== replica) return { ...chosen, copies: { store, replica } };
  const why = silent
    ? `store ${store} does not answer (${silent.message}): only what its replica ${replica} has was looked at`
    : `store ${store} has no good manifest of bundle ${chosen.bundle}: it is read from the replica ${replica}`;
  return { ...chosen, copies: { store: replica, replica: store }, warnings: [why, ...chosen.warnings] };
}
