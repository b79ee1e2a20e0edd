// Before a fleet run restores anything: which bundle a lane would get, how much room that takes, and on which volume,
// so that lanes which share one do not fill it together. Reads only.

import type { VaultSteps } from '../../contract/steps.ts';
import { volumeOf } from '../../lane/disk.ts';
import type { Deps } from '../deps.ts';
import { requireDigest } from '../host/lanes.ts';
import { placedSpec } from '../host/placed.ts';
import { activity, reach } from '../step.ts';
import { chooseAmongCopies } from './choose-among-copies.ts';
import { lastRestored } from './journal-file.ts';
import { neededFor } from './require-room.ts';

export function measureRestoreStep(deps: Deps): VaultSteps['measureRestore'] {
  return activity(async ({ fleetDigest, ...choice }, run) => {
    requireDigest(deps.fleet, fleetDigest, { lane: choice.lane });
    const { fleet, store, replica, target } = await placedSpec(deps, choice.lane);
    const { bundle, sizeBytes } = await chooseAmongCopies(deps, { ...choice, fleet, store, replica }, run);
    const shell = await reach(deps, target, run);
    const { volume, freeBytes } = await volumeOf(shell, target.home);
    const lastRestore = (await lastRestored(shell))?.restore ?? null;
    return { bundle, sizeBytes, neededBytes: neededFor(sizeBytes), freeBytes, volume, lastRestore };
  });
}
