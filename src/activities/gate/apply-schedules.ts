// Day 1 of the gate: Temporal's schedules become those of the fleet file. What applies them is the worker's (deps.ts): the
// room `client`, where schedules are made, is not for activities.

import type { GateVaultSteps } from '../../contract/gate-steps.ts';
import { readTimeZone } from '../../lane/survey.ts';
import type { Deps } from '../deps.ts';
import { placedSpecs } from '../host/placed.ts';
import { activity, reach, type Run } from '../step.ts';

export function applySchedulesStep(deps: Deps): GateVaultSteps['applySchedules'] {
  const apply = activity(async (_: undefined, run) => ({
    schedules: await deps.applySchedules(await zonesOf(deps, run)),
  }));
  return () => apply(undefined);
}

/** Of every host with lanes: what the fleet file says, else what the host does, or the one that has the lanes of a lost one. */
async function zonesOf(deps: Deps, run: Run): Promise<Record<string, string>> {
  const specs = await placedSpecs(deps, deps.fleet.lanes);
  const byHost = new Map(specs.map((spec) => [deps.fleet.laneSpec(spec.lane).target.host.name, spec]));
  const zones = await Promise.all(
    [...byHost].map(
      async ([name, { target, timeZone }]): Promise<[string, string]> => [
        name,
        timeZone ?? (await readTimeZone(await reach(deps, target, run))),
      ],
    ),
  );
  return Object.fromEntries(zones);
}
