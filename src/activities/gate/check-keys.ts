// Before a gate begins: every key that a recovery needs resolves, each lane's Keychain can be opened, every store answers.
// What does not is told as words, all of it at once.

import type { GateVaultSteps } from '../../contract/gate-steps.ts';
import { isFailure } from '../../domain/failure.ts';
import type { Deps } from '../deps.ts';
import { activity, type Run } from '../step.ts';

export function checkKeysStep(deps: Deps): GateVaultSteps['checkKeys'] {
  return activity(async ({ stores, lanes }, run) => {
    const looks: [what: string, look: () => Promise<unknown>][] = [
      ['the opening key', () => deps.keys.opening()],
      ["the receipts' key", () => deps.keys.receiptSigner()],
      ['the fingerprint key', () => deps.keys.fingerprint()],
      ...lanes
        .filter(({ secrets }) => secrets.length > 0)
        .map(({ lane }): [string, () => Promise<unknown>] => [
          `the Keychain password of ${lane}`,
          () => deps.keychainPassword(lane),
        ]),
      ...stores.map((store): [string, () => Promise<unknown>] => [
        `store ${store}`,
        () => firstObject(deps, store, lanes[0]?.lane ?? '', run),
      ]),
    ];
    const problems = await Promise.all(looks.map(([what, look]) => problemOf(what, look)));
    return { problems: problems.flatMap((problem) => problem ?? []) };
  });
}

async function problemOf(what: string, look: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await look();
    return undefined;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return `${what}: ${error.code}, ${error.message}`;
  }
}

async function firstObject(deps: Deps, store: string, lane: string, { signal }: Run): Promise<void> {
  for await (const _ of deps.store(store).list(`${lane}/manifests/`, { signal })) return;
}
