// What the worker knows of the fleet without touching a host.

import type { HostSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import type { Deps } from '../deps.ts';
import { activity } from '../step.ts';

export function resolveLaneStep({ fleet }: Deps): HostSteps['resolveLane'] {
  return activity(async ({ lane }) => {
    const spec = fleet.laneSpec(lane);
    return {
      fleet: fleet.name,
      fleetDigest: fleet.digest,
      host: spec.target.host.name,
      waitForLaneMs: spec.limits.waitForLaneMs,
    };
  });
}

export function describeLaneStep({ fleet }: Deps): HostSteps['describeLane'] {
  return activity(async ({ lane, fleetDigest }) => {
    if (fleet.digest === fleetDigest) return fleet.laneSpec(lane);
    throw new Failure(
      'FleetChanged',
      `this worker holds the fleet file ${fleet.digest.slice(0, 12)}…, the operation was started with ${fleetDigest.slice(0, 12)}…`,
      { lane },
    );
  });
}

export function listLanesStep({ fleet }: Deps): HostSteps['listLanes'] {
  const list = activity(async (_: undefined) =>
    fleet.lanes.map((lane) => ({ lane, fleetDigest: fleet.digest, target: fleet.laneSpec(lane).target })),
  );
  return () => list(undefined);
}

export function describeHolderStep({ temporal }: Deps): HostSteps['describeHolder'] {
  return activity(({ workflowId }) => temporal.describeHolder(workflowId));
}

export function requirePollersStep({ temporal }: Deps): HostSteps['requirePollers'] {
  return activity(async ({ queues }) => {
    for (const queue of queues) {
      if (!(await temporal.hasPoller(queue)))
        throw new Failure('NoPollers', `no worker polls the queue ${queue}`, { queue });
    }
  });
}
