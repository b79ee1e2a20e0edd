// The host of a gate as it is now: its lanes, their specifications and versions, and what of it a gate is of.

import type { LaneSpec } from '../contract/lane-spec.ts';
import type { Survey } from '../contract/step-types.ts';
import type { GateIdentity } from '../domain/gate.ts';
import { workflowFailure } from './failures.ts';
import { host, hostDown } from './steps.ts';

export interface GateLane {
  readonly spec: LaneSpec;
  readonly survey: Survey;
}

export interface HostPicture {
  readonly host: string;
  readonly fleet: string;
  readonly fleetDigest: string;
  readonly rtoMs: number;
  /** In the order of the fleet file; there is at least one. */
  readonly lanes: readonly GateLane[];
}

/** Specifications alone, without asking the host. UnknownLane when it has no lanes. */
export async function specsOf(
  name: string,
): Promise<Omit<HostPicture, 'lanes'> & { readonly specs: readonly [LaneSpec, ...LaneSpec[]] }> {
  const { fleet, fleetDigest, rtoMs, lanes } = await host.describeFleet({ all: false, host: name });
  const there = lanes.filter((lane) => lane.host === name);
  if (there.length === 0)
    throw workflowFailure('UnknownLane', `the lanes of host ${name} have been moved: none is on it`, { host: name });
  const specs = await Promise.all(there.map(({ lane }) => host.describeLane({ lane, fleetDigest })));
  return { host: name, fleet, fleetDigest, rtoMs, specs: specs as unknown as readonly [LaneSpec, ...LaneSpec[]] };
}

/** A host that reboots is waited for, some ten minutes. */
export async function pictureOf(name: string): Promise<HostPicture> {
  const { specs, ...about } = await specsOf(name);
  const lanes = await Promise.all(
    specs.map(async (spec) => ({ spec, survey: await hostDown.surveyLane({ target: spec.target }) })),
  );
  return { ...about, lanes };
}

export function identityOf({ host: name, lanes }: HostPicture): GateIdentity {
  return {
    host: name,
    hostKey: lanes[0]?.spec.target.host.hostKey ?? '',
    lanes: lanes.map(({ spec, survey }) => ({ lane: spec.lane, openclaw: survey.openclawVersion })),
  };
}
