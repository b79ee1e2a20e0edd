// What the worker knows of the fleet without touching a host.

import type { LaneSpec } from '../../contract/lane-spec.ts';
import type { LaneChoice } from '../../contract/step-types.ts';
import type { HostSteps } from '../../contract/steps.ts';
import { Failure, type FailureContext } from '../../domain/failure.ts';
import { pause } from '../../lane/pause.ts';
import type { Deps, FleetView, TemporalView } from '../deps.ts';
import { activity } from '../step.ts';
import { placedSpec, placedSpecs } from './placed.ts';

export function resolveLaneStep(deps: Deps): HostSteps['resolveLane'] {
  const { fleet } = deps;
  return activity(async ({ lane }) => {
    const spec = await placedSpec(deps, lane);
    return {
      fleet: fleet.name,
      fleetDigest: fleet.digest,
      host: spec.target.host.name,
      store: spec.store,
      ...(spec.replica === undefined ? {} : { replica: spec.replica }),
      verifyWithinMs: spec.verifyWithinMs,
      streams: spec.limits.streams,
      waitForLaneMs: spec.limits.waitForLaneMs,
    };
  });
}

export function describeLaneStep(deps: Deps): HostSteps['describeLane'] {
  return activity(async ({ lane, fleetDigest }) => {
    requireDigest(deps.fleet, fleetDigest, { lane });
    return placedSpec(deps, lane);
  });
}

/** FleetChanged when this worker holds another fleet file. */
export function requireDigest(fleet: FleetView, digest: string, context: FailureContext): void {
  if (fleet.digest === digest) return;
  throw new Failure(
    'FleetChanged',
    `this worker holds the fleet file ${fleet.digest.slice(0, 12)}…, the operation was started with ${digest.slice(0, 12)}…`,
    context,
  );
}

export function describeFleetStep(deps: Deps): HostSteps['describeFleet'] {
  const { fleet } = deps;
  return activity(async (choice) => {
    const specs = await choose(deps, choice);
    return {
      fleet: fleet.name,
      fleetDigest: fleet.digest,
      rtoMs: Math.max(...specs.map(({ budgets }) => budgets.rtoMs)),
      caps: fleet.caps,
      lanes: specs.map(({ lane, target, limits }) => ({ lane, host: target.host.name, streams: limits.streams })),
    };
  });
}

/**
 * The lanes of a host are those that the file has there, wherever a recovery has put them (its schedules go on by its name),
 * and those that were put there. A run over no lane at all would say that all went well.
 */
async function choose(deps: Deps, { host, lanes }: LaneChoice): Promise<LaneSpec[]> {
  const { fleet } = deps;
  const specs = await placedSpecs(deps, lanes ?? fleet.lanes);
  const isOf = ({ lane, target }: LaneSpec): boolean =>
    target.host.name === host || fleet.laneSpec(lane).target.host.name === host;
  const chosen = lanes !== undefined || host === undefined ? specs : specs.filter(isOf);
  if (chosen.length > 0) return chosen;
  const hosts = new Set(specs.map(({ target }) => target.host.name));
  const what = host === undefined ? 'no lanes' : `no lane on a host ${host.slice(0, 80)}`;
  throw new Failure(
    'UnknownLane',
    `fleet ${fleet.name} has ${what} (hosts with lanes: ${[...hosts].join(', ') || 'none'})`,
    { fleet: fleet.name },
  );
}

export function listLanesStep(deps: Deps): HostSteps['listLanes'] {
  const list = activity(async (_: undefined) => {
    const specs = await placedSpecs(deps, deps.fleet.lanes);
    return specs.map(({ lane, fleetDigest, target }) => ({ lane, fleetDigest, target }));
  });
  return () => list(undefined);
}

export function describeHolderStep({ temporal }: Deps): HostSteps['describeHolder'] {
  return activity(({ workflowId }) => temporal.describeHolder(workflowId));
}

export function requirePollersStep({ temporal }: Deps): HostSteps['requirePollers'] {
  return activity(({ queues, waitMs = 0 }, { signal }) => requirePollers(temporal, { queues, waitMs, signal }));
}

const lookEveryMs = 2_000;

/** NoPollers, naming the first queue that has no worker when the time is over. */
export async function requirePollers(
  temporal: Pick<TemporalView, 'hasPoller'>,
  {
    queues,
    waitMs,
    signal,
  }: { readonly queues: readonly string[]; readonly waitMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const startedMs = performance.now();
  for (const queue of queues) {
    while (!(await temporal.hasPoller(queue))) {
      const waitedMs = performance.now() - startedMs;
      if (waitedMs >= waitMs) {
        const waited = waitMs > 0 ? `, ${Math.round(waitMs / 1000)} s were waited for one` : '';
        throw new Failure('NoPollers', `no worker polls the queue ${queue}${waited}`, { queue });
      }
      await pause(Math.min(lookEveryMs, waitMs - waitedMs), signal);
    }
  }
}
