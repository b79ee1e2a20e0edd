// Does the fleet file say by now where an incident put lanes? Until it does, what is to stand there is told line by line.

import type { PlacedHost } from '../../contract/placement.ts';
import type { HostSteps } from '../../contract/steps.ts';
import type { Deps } from '../deps.ts';
import { activity } from '../step.ts';

export function readMovedStep({ fleet }: Deps): HostSteps['readMoved'] {
  return activity(async ({ lostHost, lanes, on }) => {
    const moved = lanes.filter((lane) => !fleet.lanes.includes(lane) || isOn(fleet, lane, on));
    const left = lanes.filter((lane) => !moved.includes(lane));
    return { moved, fleetLines: left.length === 0 ? [] : linesFor(fleet, { lostHost, lanes: left, on }) };
  });
}

/** The operator may have given a new host another name. */
function isOn(fleet: Deps['fleet'], lane: string, { host, record }: PlacedHost): boolean {
  const now = fleet.laneSpec(lane).target.host;
  if (record === undefined) return now.name === host;
  return now.address === record.address && now.port === record.port && now.hostKey === record.hostKey;
}

/** As they stand in the file; a lane's other fields stay. */
function linesFor(
  fleet: Deps['fleet'],
  { lostHost, lanes, on }: { readonly lostHost: string; readonly lanes: readonly string[]; readonly on: PlacedHost },
): string[] {
  return [
    'hosts:',
    ...(on.record === undefined
      ? [`  ${on.host}:`, '    # take away: standby: true']
      : fleet.newHostLines(lostHost, { host: on.host, record: on.record })),
    'lanes:',
    ...lanes.flatMap((lane) => [`  ${lane}:`, `    host: ${on.host}`]),
  ];
}
