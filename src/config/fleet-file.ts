// A fleet file that is right: what operations and workers take everything from. It holds no secret.

import { dirname, resolve } from 'node:path';
import type { Fleet } from '../contract/fleet.ts';
import { hostTargetOf, laneSpecOf, laneTargetOn } from '../contract/fleet-lane.ts';
import { signalRulesOf } from '../contract/fleet-signals.ts';
import type { LaneSpec } from '../contract/lane-spec.ts';
import type { HostFacts } from '../contract/losses.ts';
import { hostsWithLanes, type PlannedSchedule, plannedSchedules, riskyTimes } from '../contract/schedule-plan.ts';
import type { HostRecord, PlacedHost } from '../contract/placement.ts';
import type { HostTarget, LaneTarget } from '../domain/lane-target.ts';
import { endpointOf } from '../contract/fleet-store.ts';
import type { WatchedPlace } from '../contract/watch-types.ts';
import { Failure } from '../domain/failure.ts';
import type { SignalRules } from '../domain/signals.ts';
import { limits } from '../domain/limits.ts';
import { type FleetNote, type ReadFleet, readFleet } from './check-fleet.ts';
import type { PublicKeys } from './public-keys.ts';
import type { StoreCertificates } from './store-certificates.ts';

interface WatchedByFile {
  readonly rules: SignalRules;
  readonly hosts: readonly { readonly host: string; readonly region: string }[];
  readonly controls: readonly WatchedPlace[];
  readonly stores: readonly WatchedPlace[];
}

export class FleetFile {
  /** Absolute. */
  readonly path: string;
  /** SHA-256 of its bytes, hex. */
  readonly digest: string;
  readonly fleet: Fleet;
  readonly keys: PublicKeys;
  /** Of stores that name their own authorities. */
  readonly certificates: StoreCertificates;
  readonly warnings: readonly FleetNote[];

  constructor(path: string, read: ReadFleet & Required<Pick<ReadFleet, 'fleet' | 'keys' | 'certificates'>>) {
    this.path = resolve(path);
    this.digest = read.digest;
    this.fleet = read.fleet;
    this.keys = read.keys;
    this.certificates = read.certificates;
    this.warnings = read.warnings;
  }

  /** Where relative paths and secret commands start. */
  get baseDir(): string {
    return dirname(this.path);
  }

  /** The hosts that schedules go by the clock of: a lane of each, and its zone where the file says it. */
  scheduleHosts(): { readonly host: string; readonly lane: string; readonly timeZone: string | undefined }[] {
    return [...hostsWithLanes(this.fleet)].map(([host, [lane = '']]) => {
      const timeZone = this.fleet.hosts[host]?.timeZone;
      return { host, lane, timeZone: timeZone === 'ask' ? undefined : timeZone };
    });
  }

  /** @param zones of all {@link scheduleHosts}, by host */
  schedules(zones: Readonly<Record<string, string>>): PlannedSchedule[] {
    return plannedSchedules(this.fleet, zones);
  }

  /** What is scheduled for a time that one day of the year lacks and another has twice, where clocks are moved. */
  riskySchedules(): string[] {
    return riskyTimes(this.fleet.schedules);
  }

  /** Undefined when there is no such host. */
  hostTarget(host: string): HostTarget | undefined {
    return hostTargetOf(this.fleet, host);
  }

  /** Undefined when there is no such host. */
  hostFacts(name: string): HostFacts | undefined {
    const host = Object.hasOwn(this.fleet.hosts, name) ? this.fleet.hosts[name] : undefined;
    if (host === undefined) return undefined;
    const { address, port, user: login, region, profile, arch = null, standby } = host;
    const own = Object.entries(this.fleet.lanes).filter(([, lane]) => lane.host === name);
    const lanes = own.map(([lane, { user, port: gateway }]) => ({ lane, user, port: gateway }));
    return { host: name, address, port, login, region, profile, arch, standby, lanes };
  }

  /** The lines of a new host in the file, with what it takes from the lost one. */
  newHostLines(lostHost: string, { host, record }: { readonly host: string; readonly record: HostRecord }): string[] {
    const lost = this.fleet.hosts[lostHost];
    const { address, port, user, hostKey, region = lost?.region } = record;
    const fields = { address, port, user, hostKey, region, profile: lost?.profile };
    return [`  ${host}:`, ...Object.entries(fields).map(([field, value]) => `    ${field}: ${value}`)];
  }

  /** What the watch looks at: rules, hosts with their regions, control addresses, and where S3 stores answer. */
  get watched(): WatchedByFile {
    const { hosts, regions, signals, stores } = this.fleet;
    return {
      rules: signalRulesOf(signals),
      hosts: Object.entries(hosts).map(([host, { region }]) => ({ host, region })),
      controls: Object.entries(regions).flatMap(([region, { control }]) => (control ? [{ region, ...control }] : [])),
      stores: Object.values(stores).flatMap((store) => endpointOf(store) ?? []),
    };
  }

  /** The lane as it would be on another host; undefined when there is no such lane or host. */
  laneOn(name: string, host: string): LaneTarget | undefined {
    return laneTargetOn(this.fleet, name, host);
  }

  /**
   * The lane's specification; its size was checked when the file was loaded.
   * @param placed where an open incident put the lane
   * @throws Failure UnknownLane; PlacementBad when the file has no such standby
   */
  laneSpec(name: string, placed?: PlacedHost): LaneSpec {
    const spec = laneSpecOf(this.fleet, this.digest, name, placed);
    if (spec !== undefined) return spec;
    if (placed !== undefined && Object.hasOwn(this.fleet.lanes, name))
      throw new Failure(
        'PlacementBad',
        `lane ${name} is on host ${placed.host} since an incident, which is not in fleet ${this.fleet.fleet}`,
        {
          lane: name,
          host: placed.host,
        },
      );
    const lanes = Object.keys(this.fleet.lanes);
    throw new Failure(
      'UnknownLane',
      `fleet ${this.fleet.fleet} has no lane ${name.slice(0, 80)} (lanes: ${lanes.join(', ') || 'none'})`,
      {
        fleet: this.fleet.fleet,
      },
    );
  }
}

/**
 * Reads and checks fleet.yaml and the public keys that it names. May be called again.
 * @throws Failure InvalidFleet, with every error on a line of its own: `fleet.yaml:12:5 hosts.mac-1.port: …`
 */
export async function loadFleet(path: string): Promise<FleetFile> {
  const read = await readFleet(path);
  const { fleet, keys, certificates } = read;
  if (fleet === undefined || keys === undefined || certificates === undefined) {
    throw new Failure('InvalidFleet', formatFleetNotes(path, read.errors), { count: read.errors.length });
  }
  return new FleetFile(path, { ...read, fleet, keys, certificates });
}

/** One line for each note, as editors and terminals make links of; many are cut off and counted. */
export function formatFleetNotes(path: string, notes: readonly FleetNote[]): string {
  const lines = notes.slice(0, limits.fleetErrors).map((note) => {
    const field = note.path === '' ? '' : ` ${note.path}`;
    return `${path}:${note.line}:${note.column}${field}: ${note.message}`;
  });
  const more = notes.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}
