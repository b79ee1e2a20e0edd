// From the fleet file to one lane's specification: pure, so that the same file always gives the same specification.

import { hostPath, type HostTarget, type LaneTarget } from '../domain/lane-target.ts';
import type { Retention } from '../domain/retention.ts';
import type { Fleet, FleetHost, FleetLane } from './fleet.ts';
import type { LaneSpec } from './lane-spec.ts';
import type { PlacedHost } from './placement.ts';

/** The lane's home as on the Mac, before `root` is put before it. */
export function macHomeOf(lane: Pick<FleetLane, 'home' | 'user'>): string {
  return lane.home ?? `/Users/${lane.user}`;
}

function hostTarget(name: string, host: FleetHost): HostTarget {
  const { address, port, user, hostKey, root, tools } = host;
  return { name, address, port, user, hostKey, root, tools };
}

/** A path that lies inside the root already is taken as it is. */
function below(host: HostTarget, path: string): string {
  return path.startsWith(`${host.root}/`) ? path : hostPath(host, path);
}

function keychainPath(host: HostTarget, home: string, path: string): string {
  return path.startsWith('~/') ? home + path.slice(1) : below(host, path);
}

function laneTargetOf(fleet: string, laneName: string, lane: FleetLane, fleetHost: FleetHost): LaneTarget {
  const host = hostTarget(lane.host, fleetHost);
  const home = below(host, macHomeOf(lane));
  const { user, label, domain, port } = lane;
  const keychain = keychainPath(host, home, lane.keychain.path);
  return { fleet, lane: laneName, host, user, home, label, domain, port, profile: fleetHost.profile, keychain };
}

/** The store that holds the copies of another's bundles; undefined where there is none. */
export function replicaStoreOf(stores: Fleet['stores'], name: string): string | undefined {
  return Object.entries(stores).find(([, store]) => store.replicaOf === name)?.[0];
}

/** Undefined when the fleet has no such host. */
export function hostTargetOf(fleet: Fleet, name: string): HostTarget | undefined {
  const host = Object.hasOwn(fleet.hosts, name) ? fleet.hosts[name] : undefined;
  return host && hostTarget(name, host);
}

/** The lane as it would be on another host; undefined when the fleet has no such lane or host. */
export function laneTargetOn(fleet: Fleet, name: string, hostName: string): LaneTarget | undefined {
  const lane = Object.hasOwn(fleet.lanes, name) ? fleet.lanes[name] : undefined;
  const host = Object.hasOwn(fleet.hosts, hostName) ? fleet.hosts[hostName] : undefined;
  return lane && host ? laneTargetOf(fleet.fleet, name, { ...lane, host: hostName }, host) : undefined;
}

/** The fleet's, where the lane does not say otherwise. */
function retentionOf(fleet: Fleet, lane: FleetLane): Retention {
  const { daily, weekly, monthly, grace } = fleet.retention;
  return {
    daily: lane.retention?.daily ?? daily,
    weekly: lane.retention?.weekly ?? weekly,
    monthly: lane.retention?.monthly ?? monthly,
    graceMs: lane.retention?.grace ?? grace,
  };
}

/**
 * The host that a lane is on, by the file or where an incident put it; undefined when the fleet has no such host. What
 * nobody says of a new host is as it was on the lost one: profile, root, tools.
 */
function placedOn(fleet: Fleet, lane: FleetLane, placed: PlacedHost | undefined): FleetHost | undefined {
  const lost = Object.hasOwn(fleet.hosts, lane.host) ? fleet.hosts[lane.host] : undefined;
  if (placed === undefined) return lost;
  const listed = Object.hasOwn(fleet.hosts, placed.host) ? fleet.hosts[placed.host] : undefined;
  if (placed.record === undefined || lost === undefined) return listed;
  return { ...lost, arch: undefined, timeZone: 'ask', standby: false, ...placed.record };
}

/**
 * The lane as an operation knows it; undefined when the fleet has no such lane.
 * @param placed where an open incident put it, when that is not where the file says
 */
export function laneSpecOf(fleet: Fleet, fleetDigest: string, name: string, placed?: PlacedHost): LaneSpec | undefined {
  const listed = Object.hasOwn(fleet.lanes, name) ? fleet.lanes[name] : undefined;
  const host = listed === undefined ? undefined : placedOn(fleet, listed, placed);
  if (listed === undefined || host === undefined) return undefined;
  const lane = placed === undefined ? listed : { ...listed, host: placed.host };
  const { rto, rpo, steps } = fleet.objectives;
  const replica = replicaStoreOf(fleet.stores, lane.store);
  const { streams, waitForLane, segment } = fleet.limits;
  return {
    fleet: fleet.fleet,
    fleetDigest,
    lane: name,
    target: laneTargetOf(fleet.fleet, name, lane, host),
    region: host.region,
    ...(host.timeZone === 'ask' ? {} : { timeZone: host.timeZone }),
    store: lane.store,
    ...(replica === undefined ? {} : { replica }),
    profile: host.profile,
    secrets: lane.secrets,
    ...(lane.messageToken === undefined ? {} : { messageToken: lane.messageToken }),
    exclude: lane.exclude,
    budgets: { rtoMs: rto, stepMs: steps },
    rpoMs: rpo,
    verifyWithinMs: fleet.verify.within,
    retention: retentionOf(fleet, lane),
    hasKeychainPassword: lane.keychain.password !== undefined,
    limits: { streams, waitForLaneMs: waitForLane, segmentBytes: segment },
  };
}
