// From the fleet file to the schedules that Temporal is to hold: pure, so that applying twice changes nothing.

import type { Fleet } from './fleet.ts';
import type { FleetSchedules, ScheduleDay, ScheduledWork, ScheduleOverlap } from './fleet-schedules.ts';
import { queues, scheduleId, workflowNames } from './names.ts';

export interface PlannedSchedule {
  readonly id: string;
  readonly when: ScheduleTime;
  /** Spread over this time, so that a fleet's hosts do not begin in the same second. */
  readonly jitterMs: number;
  /** How late a run may begin that was missed while Temporal was down. */
  readonly catchupMs: number;
  readonly overlap: ScheduleOverlap;
  readonly run: {
    readonly workflow: string;
    readonly queue: string;
    readonly input: Readonly<Record<string, unknown>>;
    /** Temporal appends the time. */
    readonly workflowId: string;
  };
}

export type ScheduleTime =
  | { readonly everyMs: number }
  | { readonly day: ScheduleDay; readonly hour: number; readonly minute: number; readonly timeZone: string };

const minuteMs = 60_000;

/** A lane whose section and parent are both dead answers again within the minute, of which ten seconds are for the way back. */
const watchEveryMs = 50_000;
/** Objectives are of hours: ten minutes more are little, and 144 LISTs a lane and day cost next to nothing. */
const rpoEveryMs = 10 * minuteMs;

/**
 * @param zones of every host with lanes, IANA
 * @returns one schedule for each host and tier, one for each lane and other work, and the watches
 */
export function plannedSchedules(fleet: Fleet, zones: Readonly<Record<string, string>>): PlannedSchedule[] {
  const hosts = hostsWithLanes(fleet);
  const tiers = [...hosts].flatMap(([host, lanes]) =>
    tierSchedules(fleet, { host, lanes, timeZone: zones[host] ?? 'UTC' }),
  );
  const lanes = Object.entries(fleet.lanes).flatMap(([lane, { host }]) =>
    laneSchedules(fleet, { lane, timeZone: zones[host] ?? 'UTC' }),
  );
  return [...tiers, ...lanes, ...watchSchedules(fleet.fleet)];
}

/** The hosts that schedules are by the clock of, with their lanes; a standby has none. */
export function hostsWithLanes({ lanes }: Pick<Fleet, 'lanes'>): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [lane, { host }] of Object.entries(lanes)) found.set(host, [...(found.get(host) ?? []), lane]);
  return found;
}

interface OfHost {
  readonly host: string;
  readonly lanes: readonly string[];
  readonly timeZone: string;
}

function tierSchedules(fleet: Fleet, { host, lanes, timeZone }: OfHost): PlannedSchedule[] {
  const tiers = lanes.length > 1 ? (['A', 'B', 'C'] as const) : (['A', 'B'] as const);
  return tiers.flatMap((tier) => {
    const run = { workflow: workflowNames.backupFleet, input: { host, tier } };
    return planned(fleet, { work: `tier${tier}`, name: `tier-${tier.toLowerCase()}/${host}`, timeZone, ...run });
  });
}

function laneSchedules(fleet: Fleet, { lane, timeZone }: { lane: string; timeZone: string }): PlannedSchedule[] {
  const works = [
    ['expire', workflowNames.expireBundles],
    ['verify', workflowNames.verifyBundle],
    ['sweep', workflowNames.sweepStore],
  ] as const;
  return works.flatMap(([work, workflow]) =>
    planned(fleet, { work, name: `${work}/${lane}`, timeZone, workflow, input: { lane } }),
  );
}

interface Wanted {
  readonly work: ScheduledWork;
  readonly name: string;
  readonly timeZone: string;
  readonly workflow: string;
  readonly input: Readonly<Record<string, unknown>>;
}

function planned({ fleet, schedules }: Fleet, { work, name, timeZone, workflow, input }: Wanted): PlannedSchedule[] {
  const { enabled, day, at, jitter: jitterMs, catchUp: catchupMs, overlap } = schedules[work];
  if (!enabled) return [];
  const [hour = 0, minute = 0] = at.split(':').map(Number);
  return [
    {
      id: scheduleId(fleet, name),
      when: { day, hour, minute, timeZone },
      jitterMs,
      catchupMs,
      overlap,
      run: { workflow, queue: queues.host, input, workflowId: `scheduled/${fleet}/${name}` },
    },
  ];
}

/** What goes on from the first worker on. A run that still goes on is not doubled, and missed ones are not made up for. */
export function watchSchedules(fleet: string): PlannedSchedule[] {
  const every = (everyMs: number, name: string, workflow: string): PlannedSchedule => ({
    id: scheduleId(fleet, name),
    when: { everyMs },
    jitterMs: 0,
    catchupMs: everyMs,
    overlap: 'skip',
    run: { workflow, queue: queues.host, input: {}, workflowId: `${name}/${fleet}` },
  });
  return [
    every(watchEveryMs, 'watch', workflowNames.watchFleet),
    every(rpoEveryMs, 'watch-rpo', workflowNames.watchRpo),
  ];
}

/** The works whose local time does not exist on one day of the year, or comes twice: between 01:00 and 03:00. */
export function riskyTimes(schedules: FleetSchedules): ScheduledWork[] {
  return (Object.keys(schedules) as ScheduledWork[]).filter((work) => {
    const { enabled, at } = schedules[work];
    return enabled && at >= '01:00' && at < '03:00';
  });
}
