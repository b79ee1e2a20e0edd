// The bundles of a lane in its store and in the store's replica: which of the two a command reads, and what either has.
// Whatever is read is checked against the signed manifest; where the two disagree, that is told and not passed over.

import type { FleetFile } from '../config/fleet-file.ts';
import { Failure, type FailureCode, isFailure } from '../domain/failure.ts';
import { BundleShelf, type Shelved } from './bundle-shelf.ts';
import type { Cli } from './cli.ts';

/** Of every command that reads one bundle offline. */
export const storeHelp =
  "the lane's store or its replica (default: its store, and the replica where that does not answer or lacks the bundle)";

export interface BundleOf {
  readonly file: FleetFile;
  readonly lane: string;
  readonly bundle: string;
  /** `--store`; left out: the lane's store, and its replica where that does not answer or has no good manifest. */
  readonly store?: string | undefined;
}

/**
 * The shelf that one bundle is read from. Another one than the lane's store is told.
 * @throws Failure InvalidInput for a store that is not the lane's, ReplicaDamaged where the two have different manifests;
 * as {@link BundleShelf.read} of the lane's store where neither has a good one
 */
export async function shelfFor(cli: Cli, { file, lane, bundle, store }: BundleOf): Promise<BundleShelf> {
  const [near, far] = shelvesOf(file, lane);
  if (store !== undefined && store === far?.store.name) return requireSame(near, far, bundle);
  if (store !== undefined) return requireOwn(near, far, store);
  if (far === undefined) return near;
  try {
    await near.read(bundle);
    return near;
  } catch (error) {
    if (!isPassable(error)) throw error;
    if (!(await hasGood(far, bundle))) throw error;
    cli.warn(`${error.message}; read from its replica ${far.store.name}${mayLag(error)}`);
    return far;
  }
}

function shelvesOf(file: FleetFile, lane: string): [BundleShelf, BundleShelf?] {
  const { store, replica } = file.laneSpec(lane);
  const near = new BundleShelf(file, lane, store);
  return replica === undefined ? [near] : [near, new BundleShelf(file, lane, replica)];
}

function requireOwn(near: BundleShelf, far: BundleShelf | undefined, store: string): BundleShelf {
  if (store === near.store.name) return near;
  const there = [near, ...(far ? [far] : [])].map((shelf) => shelf.store.name).join(', ');
  const message = `lane ${near.lane} has no bundles in store ${store} (its stores: ${there})`;
  throw new Failure('InvalidInput', message, { field: '--store' });
}

/** A signed manifest of the same id and of other bytes was not copied by us. What only one of them has is no matter. */
async function requireSame(near: BundleShelf, far: BundleShelf, bundle: string): Promise<BundleShelf> {
  const [one, other] = [await digestIn(near, bundle), await digestIn(far, bundle)];
  if (one === undefined || other === undefined || one === other) return far;
  throw differs(bundle, far.store.name, near.store.name);
}

async function digestIn(shelf: BundleShelf, bundle: string): Promise<string | undefined> {
  return shelf.read(bundle).then(
    ({ sha256 }) => sha256,
    (error: unknown) => {
      if (isPassable(error)) return undefined;
      throw error;
    },
  );
}

async function hasGood(shelf: BundleShelf, bundle: string): Promise<boolean> {
  return (await digestIn(shelf, bundle)) !== undefined;
}

function differs(bundle: string, replica: string, store: string): Failure {
  const message = `the manifest of bundle ${bundle} at the replica ${replica} has other bytes than that in store ${store}`;
  return new Failure('ReplicaDamaged', message, { bundle, store: replica });
}

/** The store does not answer, or has no good manifest of the bundle: the other one may do. */
function isPassable(error: unknown): error is Failure {
  return isSilence(error) || (isFailure(error) && (error.code === 'NoRestorePoint' || error.code.startsWith('Bundle')));
}

const silence: readonly FailureCode[] = ['StoreUnreachable', 'StoreRefused', 'StoreUnmarked', 'SecretUnavailable'];

function isSilence(error: unknown): error is Failure {
  return isFailure(error) && silence.includes(error.code);
}

function mayLag(error: Failure): string {
  return isSilence(error) ? ', which may be behind' : '';
}

/** What is read of a lane's store or, where that does not answer, of its replica; `silent` says why, and which is read. */
export async function fromEither<T>(
  file: FleetFile,
  lane: string,
  read: (shelf: BundleShelf) => Promise<T>,
): Promise<{ readonly read: T; readonly instead?: { readonly replica: string; readonly why: Failure } }> {
  const [near, far] = shelvesOf(file, lane);
  try {
    return { read: await read(near) };
  } catch (why) {
    if (far === undefined || !isSilence(why)) throw why;
    const there = await read(far).catch((error: unknown) => {
      throw isSilence(error) ? why : error;
    });
    return { read: there, instead: { replica: far.store.name, why } };
  }
}

export interface Kept {
  readonly bundle: string;
  /** As the first store has it that has it whole. */
  readonly seen: Shelved;
  readonly stores: readonly string[];
  /** Copies that cannot be used, while another one can. */
  readonly spoiled: readonly { readonly store: string; readonly failure: Failure }[];
  /** Of one that only the replica has, while the store answers: gone from there, and when it expired, if it did. */
  readonly goneFrom: { readonly store: string; readonly expiredAt: string | null } | null;
}

export interface Everywhere {
  readonly bundles: readonly Kept[];
  /** Why a store could not be looked at, where the other one could. */
  readonly silent: readonly Failure[];
}

interface Copy {
  readonly shelf: BundleShelf;
  readonly seen: Shelved;
}

/** The lane's bundles in its store and, where it has one, in the replica, newest first. */
export async function lookEverywhere(file: FleetFile, lane: string): Promise<Everywhere> {
  const shelves = shelvesOf(file, lane).filter((shelf) => shelf !== undefined);
  const held = new Map<string, Copy[]>();
  const silent: Failure[] = [];
  for (const shelf of shelves) {
    try {
      for (const seen of await lookAll(shelf))
        held.set(seen.bundle, [...(held.get(seen.bundle) ?? []), { shelf, seen }]);
    } catch (error) {
      if (!isFailure(error) || shelves.length === 1) throw error;
      silent.push(error);
    }
  }
  const [first] = silent;
  if (first && silent.length === shelves.length) throw first;
  const [near] = shelves as [BundleShelf];
  const bundles: Kept[] = [];
  for (const copies of held.values()) bundles.push(await keptOf(copies, near, silent.length > 0));
  return { bundles: bundles.toSorted((a, b) => (a.bundle < b.bundle ? 1 : -1)), silent };
}

/** All or nothing: a store that falls silent in the middle has not been looked at. */
async function lookAll(shelf: BundleShelf): Promise<Shelved[]> {
  const all: Shelved[] = [];
  for (const bundle of await shelf.list()) all.push(await shelf.look(bundle));
  return all;
}

async function keptOf(copies: readonly Copy[], near: BundleShelf, isHalf: boolean): Promise<Kept> {
  const [first] = copies as readonly [Copy];
  const good = copies.find(({ seen }) => 'manifest' in seen) ?? first;
  const { seen } = good;
  const spoiled = copies.flatMap((copy) => {
    const failure = copy === good ? undefined : faultOf(copy, good);
    return failure ? [{ store: copy.shelf.store.name, failure }] : [];
  });
  const isGone = !isHalf && copies.every(({ shelf }) => shelf !== near);
  const goneFrom =
    isGone && 'manifest' in seen
      ? { store: near.store.name, expiredAt: await near.tombstonedAt(seen.bundle, seen.sha256) }
      : null;
  return { bundle: seen.bundle, seen, stores: copies.map(({ shelf }) => shelf.store.name), spoiled, goneFrom };
}

function faultOf({ shelf, seen }: Copy, good: Copy): Failure | undefined {
  if ('failure' in seen) return 'failure' in good.seen ? undefined : seen.failure;
  if ('failure' in good.seen || seen.sha256 === good.seen.sha256) return undefined;
  return differs(seen.bundle, shelf.store.name, good.shelf.store.name);
}
