// What one field of fleet.yaml alone cannot show: lanes' hosts and stores exist, no two lanes of a host share
// what must be their own, copies rest in more than one region. Rules look at every entry that is well-formed by
// itself, so that one wrong field hides no other error.

import { type Fleet, type FleetHost, type FleetLane, laneSchema } from './fleet.ts';
import { hostSchema } from './fleet-host.ts';
import { macHomeOf, replicaStoreOf } from './fleet-lane.ts';
import { regionErrors, unwatchedRegions } from './region-rules.ts';
import { type FleetStore, placeOf, storeSchema } from './fleet-store.ts';

export type FleetPath = readonly (string | number)[];

export interface FleetRemark {
  readonly path: FleetPath;
  readonly message: string;
}

/** Entries by name; undefined where one is not well-formed. The names count all the same. */
type Entries<T> = ReadonlyMap<string, T | undefined>;

interface Parser<T> {
  safeParse(value: unknown): { readonly success: boolean; readonly data?: T | undefined };
}

function entriesOf<T>(raw: unknown, section: string, schema: Parser<T>): Entries<T> {
  const value = isRecord(raw) ? raw[section] : undefined;
  return new Map(
    Object.entries(isRecord(value) ? value : {}).map(([name, entry]) => [name, schema.safeParse(entry).data]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wellFormed<T>(entries: Entries<T>): [string, T][] {
  return [...entries].flatMap(([name, entry]) => (entry === undefined ? [] : [[name, entry] as [string, T]]));
}

/**
 * All errors that lie between fields.
 * @param raw the file's value, whether or not it fits the schema
 */
export function crossCheck(raw: unknown): FleetRemark[] {
  const hosts = entriesOf<FleetHost>(raw, 'hosts', hostSchema);
  const lanes = entriesOf<FleetLane>(raw, 'lanes', laneSchema);
  const stores = entriesOf<FleetStore>(raw, 'stores', storeSchema);
  return [
    ...wellFormed(lanes).flatMap(([name, lane]) => [
      ...danglingNames(name, lane, hosts, stores),
      ...itemErrors(name, lane),
      ...standbyErrors(name, lane, hosts),
    ]),
    ...replicaErrors(stores, wellFormed(lanes)),
    ...regionErrors(isRecord(raw) ? raw['regions'] : undefined, [...hosts.values(), ...stores.values()]),
    ...sharedBetweenLanes(wellFormed(lanes)),
    ...repeated(
      wellFormed(hosts),
      ([, host]) => `${host.address.toLowerCase()} port ${host.port}`,
      (name) => ['hosts', name, 'address'],
    ),
    ...sharedPlaces(wellFormed(stores)),
  ];
}

function sharedPlaces(stores: [string, FleetStore][]): FleetRemark[] {
  const fields = new Map(stores.map(([name, store]) => [name, store.kind === 'directory' ? 'path' : 'bucket']));
  return repeated(
    stores,
    ([, store]) => placeOf(store),
    (name) => ['stores', name, fields.get(name) ?? 'kind'],
  );
}

function listed(names: Iterable<string>): string {
  return [...names].join(', ') || 'none';
}

function danglingNames(
  name: string,
  lane: FleetLane,
  hosts: Entries<FleetHost>,
  stores: Entries<FleetStore>,
): FleetRemark[] {
  const remarks: FleetRemark[] = [];
  if (!hosts.has(lane.host)) {
    remarks.push({
      path: ['lanes', name, 'host'],
      message: `there is no host ${lane.host} (hosts: ${listed(hosts.keys())})`,
    });
  }
  if (!stores.has(lane.store)) {
    remarks.push({
      path: ['lanes', name, 'store'],
      message: `there is no store ${lane.store} (stores: ${listed(stores.keys())})`,
    });
  }
  return remarks;
}

/** A lane there would be lost with the host that the others were to find refuge on. */
function standbyErrors(name: string, { host }: FleetLane, hosts: Entries<FleetHost>): FleetRemark[] {
  if (hosts.get(host)?.standby !== true) return [];
  const message = `${host} is a standby, which holds no lanes of its own: take \`standby\` away there when it is to keep this one`;
  return [{ path: ['lanes', name, 'host'], message }];
}

/** A store has one replica at most, which is nobody's first copy: so there is one place to look for each copy. */
function replicaErrors(stores: Entries<FleetStore>, lanes: [string, FleetLane][]): FleetRemark[] {
  const replicas = wellFormed(stores).filter(([, store]) => store.replicaOf !== undefined);
  const names = new Set(replicas.map(([name]) => name));
  return [
    ...replicas.flatMap(([name, { replicaOf = '' }]): FleetRemark[] => {
      const path = ['stores', name, 'replicaOf'];
      if (replicaOf === name) return [{ path, message: 'a store is no replica of itself' }];
      if (!stores.has(replicaOf))
        return [{ path, message: `there is no store ${replicaOf} (stores: ${listed(stores.keys())})` }];
      return names.has(replicaOf) ? [{ path, message: `${replicaOf} is a replica itself` }] : [];
    }),
    ...repeated(
      replicas,
      ([, { replicaOf }]) => `the replica of ${replicaOf}`,
      (name) => ['stores', name, 'replicaOf'],
    ),
    ...lanes
      .filter(([, lane]) => names.has(lane.store))
      .map(([name, lane]) => ({
        path: ['lanes', name, 'store'],
        message: `${lane.store} is a replica: name the store that it is the replica of`,
      })),
  ];
}

type Item = FleetLane['secrets'][number];
const itemKey = (item: Item): string => JSON.stringify([item.service, item.account]);

function itemErrors(name: string, lane: FleetLane): FleetRemark[] {
  const keys = lane.secrets.map(itemKey);
  const twice = keys.flatMap((key, index): FleetRemark[] =>
    keys.indexOf(key) < index
      ? [
          {
            path: ['lanes', name, 'secrets', index],
            message: `the item is listed twice, first at secrets.${keys.indexOf(key)}`,
          },
        ]
      : [],
  );
  if (lane.messageToken === undefined || keys.includes(itemKey(lane.messageToken))) return twice;
  return [
    ...twice,
    {
      path: ['lanes', name, 'messageToken'],
      message: "the message token must be one of the lane's secrets, or no backup would hold it",
    },
  ];
}

/** Each entry whose key an earlier one has. */
function repeated<T>(
  entries: [string, T][],
  keyOf: (entry: [string, T]) => string,
  pathOf: (name: string) => FleetPath,
): FleetRemark[] {
  const first = new Map<string, string>();
  return entries.flatMap((entry) => {
    const [key, name] = [keyOf(entry), entry[0]];
    const holder = first.get(key);
    if (holder === undefined) first.set(key, name);
    return holder === undefined ? [] : [{ path: pathOf(name), message: `${key} is already that of ${holder}` }];
  });
}

/** macOS compares account names and, on APFS as shipped, paths without regard to case. */
function sharedBetweenLanes(lanes: [string, FleetLane][]): FleetRemark[] {
  const own = (field: 'user' | 'port' | 'label', keyOf: (lane: FleetLane) => string): FleetRemark[] =>
    repeated(
      lanes,
      ([, lane]) => `${field} ${keyOf(lane)} of host ${lane.host}`,
      (name) => ['lanes', name, field],
    );
  return [
    ...own('user', (lane) => lane.user.toLowerCase()),
    ...own('port', (lane) => String(lane.port)),
    ...own('label', (lane) => lane.label),
    ...lanes.flatMap(([name, lane], index) => sharedHome(name, lane, lanes.slice(0, index))),
  ];
}

function sharedHome(name: string, lane: FleetLane, earlier: [string, FleetLane][]): FleetRemark[] {
  const home = `${macHomeOf(lane).toLowerCase()}/`;
  const holder = earlier.find(([, other]) => {
    const otherHome = `${macHomeOf(other).toLowerCase()}/`;
    return (
      other.host === lane.host &&
      other.user.toLowerCase() !== lane.user.toLowerCase() &&
      (home.startsWith(otherHome) || otherHome.startsWith(home))
    );
  });
  if (holder === undefined) return [];
  return [
    { path: ['lanes', name, 'home'], message: `home ${macHomeOf(lane)} lies in, or holds, that of ${holder[0]}` },
  ];
}

/** What is allowed, but leaves a disaster without an answer. */
export function fleetWarnings(fleet: Fleet): FleetRemark[] {
  const warnings: FleetRemark[] = [];
  if (fleet.keys.recipients.recovery === undefined) {
    warnings.push({
      path: ['keys', 'recipients'],
      message: "there is no recovery recipient: who loses the vault's key loses every bundle",
    });
  }
  if (fleet.keys.receipt === undefined) {
    warnings.push({
      path: ['keys'],
      message:
        'there is no receipt key: restores leave no receipt and nothing becomes proven; `./clawback keys generate --only receipt` makes one',
    });
  }
  warnings.push(...regionWarnings(fleet), ...unwatchedRegions(fleet));
  for (const [name, lane] of Object.entries(fleet.lanes)) {
    if (lane.messageToken === undefined) {
      warnings.push({
        path: ['lanes', name],
        message: 'no messageToken: a restore cannot prove that the lane answers messages',
      });
    }
  }
  return warnings;
}

/** One region holds every copy of some lanes: a copy elsewhere is for the day that it is lost (procedure, "Setting"). */
function regionWarnings({ stores, lanes, hosts }: Fleet): FleetRemark[] {
  return Object.entries(stores).flatMap(([name, { region, replicaOf }]): FleetRemark[] => {
    const replica = replicaStoreOf(stores, name);
    const inside = Object.entries(lanes).filter(([, lane]) => lane.store === name);
    const isAlone = replica === undefined || stores[replica]?.region === region;
    if (replicaOf !== undefined || inside.length === 0 || !isAlone) return [];
    const there = inside.filter(([, lane]) => hosts[lane.host]?.region === region).map(([lane]) => lane);
    const lost = `all copies of ${inside.map(([lane]) => lane).join(', ')} rest in the region ${region}`;
    const both = there.length > 0 ? `, where the hosts of ${there.join(', ')} stand too` : '';
    const cure = `who loses it loses every bundle: add a store with \`replicaOf: ${name}\` in another region`;
    return [{ path: ['stores', name], message: `${lost}${both}; ${cure}` }];
  });
}
