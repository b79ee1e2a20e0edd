// How full a host's disk and memory are, for the gate: the fullest of its lanes' volumes.

import type { GateHostSteps } from '../../contract/gate-steps.ts';
import { Failure } from '../../domain/failure.ts';
import { usedRatioOf } from '../../domain/quantity.ts';
import { memoryOf } from '../../lane/memory.ts';
import { diskOf } from '../../lane/survey.ts';
import type { Deps } from '../deps.ts';
import { placedSpecs } from '../host/placed.ts';
import { activity, reach } from '../step.ts';

export function lookAtHostStep(deps: Deps): GateHostSteps['lookAtHost'] {
  return activity(async ({ host }, run) => {
    const specs = await placedSpecs(deps, deps.fleet.lanes);
    const targets = specs.map(({ target }) => target).filter((one) => one.host.name === host);
    const shells = await Promise.all(targets.map((target) => reach(deps, target, run)));
    const [first] = shells;
    if (first === undefined) throw new Failure('UnknownLane', `the fleet has no lanes on a host ${host}`, { host });
    const disks = await Promise.all(shells.map((shell) => diskOf(shell, shell.target.home)));
    const [fullest = { usedBytes: 0, freeBytes: 0 }] = disks.toSorted((a, b) => usedRatioOf(b) - usedRatioOf(a));
    const memory = await memoryOf(first);
    return {
      diskUsedRatio: usedRatioOf(fullest),
      diskTotalBytes: fullest.usedBytes + fullest.freeBytes,
      memoryUsedRatio: 1 - memory.freeBytes / memory.totalBytes,
      memoryTotalBytes: memory.totalBytes,
    };
  });
}
