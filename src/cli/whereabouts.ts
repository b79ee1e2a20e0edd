// Where the bundles of a lane are: in its store, in the replica, in one of the two alone; and how far the replica is
// behind. By their ids, which say when a bundle was begun: no manifest is read for it.

import type { FleetFile } from '../config/fleet-file.ts';
import { type FailureCode, isFailure } from '../domain/failure.ts';
import { BundleShelf } from './bundle-shelf.ts';

export interface StoreHolds {
  readonly store: string;
  readonly region: string;
  readonly bundles: number;
  readonly newest: string | null;
  /** How many of them the other one lacks; null while that does not answer. */
  readonly onlyHere: number | null;
}

export interface Whereabouts {
  readonly stores: readonly (
    | StoreHolds
    | { readonly store: string; readonly region: string; readonly code: FailureCode; readonly message: string }
  )[];
  /** How much older the replica's newest bundle is than the store's; null where either has none, or does not answer. */
  readonly lagMs: number | null;
  /** How long ago the store's newest bundle was begun, where the replica lacks it; null otherwise. */
  readonly uncopiedMs: number | null;
}

/** Null for a lane whose store has no replica. */
export async function findWhereabouts(file: FleetFile, lane: string, nowMs: number): Promise<Whereabouts | null> {
  const { store, replica } = file.laneSpec(lane);
  if (replica === undefined) return null;
  const [near, far] = await Promise.all([store, replica].map((name) => listIn(file, lane, name)));
  const lists = [near as Listed, far as Listed] as const;
  const stores = [holds(lists[0], lists[1]), holds(lists[1], lists[0])];
  return { stores, lagMs: lagOf(lists), uncopiedMs: uncopiedMs(lists, nowMs) };
}

type Listed = { readonly store: string; readonly region: string } & (
  | { readonly ids: readonly string[] }
  | { readonly code: FailureCode; readonly message: string }
);

async function listIn(file: FleetFile, lane: string, store: string): Promise<Listed> {
  const about = { store, region: file.fleet.stores[store]?.region ?? '' };
  try {
    return { ...about, ids: await new BundleShelf(file, lane, store).list() };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { ...about, code: error.code, message: error.message };
  }
}

function holds(one: Listed, other: Listed): Whereabouts['stores'][number] {
  if (!('ids' in one)) return one;
  const { store, region, ids } = one;
  const there = 'ids' in other ? new Set(other.ids) : undefined;
  const onlyHere = there === undefined ? null : ids.filter((id) => !there.has(id)).length;
  return { store, region, bundles: ids.length, newest: ids[0] ?? null, onlyHere };
}

function lagOf([near, far]: readonly [Listed, Listed]): number | null {
  const [one, other] = [near, far].map((listed) => ('ids' in listed ? listed.ids[0] : undefined));
  return one === undefined || other === undefined ? null : Math.max(0, beganAtMs(one) - beganAtMs(other));
}

function uncopiedMs([near, far]: readonly [Listed, Listed], nowMs: number): number | null {
  const newest = 'ids' in near ? near.ids[0] : undefined;
  if (newest === undefined || !('ids' in far) || far.ids.includes(newest)) return null;
  return nowMs - beganAtMs(newest);
}

/** Of a bundle id, whose head is `20261122T031500Z`. */
function beganAtMs(bundle: string): number {
  return Date.parse(bundle.slice(0, 16).replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
