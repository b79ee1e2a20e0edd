// A lane's store and its replica, read as one: an object comes from the first that answers and has it. That is safe, for
// whatever is read is checked against the signed manifest, whichever store it came from. Nothing is written through it.

import type { Readable } from 'node:stream';
import type { Copies } from '../contract/copies.ts';
import { Failure, type FailureCode, isRetryable } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { GetOptions, ListOptions, PutResult, Store, StoredObject } from '../store/store.ts';
import type { Deps } from './deps.ts';

/** A store that cannot be asked now. */
const silence: ReadonlySet<FailureCode> = new Set(['StoreUnreachable', 'StoreRefused', 'StoreUnmarked']);

export function isSilence(error: unknown): error is Failure {
  return error instanceof Failure && silence.has(error.code);
}

/** Is a store that did not answer asked again, before the other one is taken in its stead? Some seconds' worth. */
export function isWorthWaiting({ code }: Failure, attempt: number): boolean {
  return isRetryable(code) && attempt < limits.storeTries;
}

export class CopiedStore implements Store {
  readonly name: string;
  /** In the order in which they are asked. */
  readonly copies: readonly Store[];
  /** Those that did not answer, by name, and why. */
  readonly silent = new Map<string, Failure>();
  /** Which store gave an object, by key. */
  readonly gave = new Map<string, string>();

  constructor(copies: readonly [Store, ...Store[]]) {
    this.name = copies[0].name;
    this.copies = copies;
  }

  /** @throws what the first store says, but a silence rather than an absence: it may end */
  async get(key: string, options?: GetOptions): Promise<Readable> {
    const failures: Failure[] = [];
    for (const store of this.copies) {
      try {
        const stream = await store.get(key, options);
        this.gave.set(key, store.name);
        return stream;
      } catch (error) {
        failures.push(this.#passable(store, error));
      }
    }
    throw (failures.find(isSilence) ?? failures[0]) as Failure;
  }

  /** All that any of them has; of a key in both, what the first says. */
  async *list(prefix: string, options?: ListOptions): AsyncIterable<StoredObject> {
    const found = new Map<string, StoredObject>();
    const silent: unknown[] = [];
    for (const store of this.copies) {
      try {
        for await (const object of store.list(prefix, options))
          if (!found.has(object.key)) found.set(object.key, object);
      } catch (error) {
        silent.push(this.#passable(store, error));
      }
    }
    if (silent.length === this.copies.length) throw silent[0];
    yield* [...found.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  put(): Promise<PutResult> {
    throw new Failure('Unexpected', 'copies are read together, and written one by one');
  }

  delete(): Promise<boolean> {
    return this.put() as Promise<never>;
  }

  sweepUploads(): Promise<number> {
    return this.put() as Promise<never>;
  }

  /** Another copy may do; what is no matter of this store is thrown. */
  #passable(store: Store, error: unknown): Failure {
    if (isSilence(error)) this.silent.set(store.name, error);
    else if (!(error instanceof Failure) || error.code !== 'ObjectMissing') throw error;
    return error;
  }
}

/** The same dependencies, with the lane's store read together with its replica, in this order. */
export function readingCopies(
  deps: Deps,
  { store, replica }: Copies,
): { readonly deps: Deps; readonly copies: CopiedStore } {
  const names = [store, ...(replica === undefined ? [] : [replica])];
  const copies = new CopiedStore(names.map((name) => deps.store(name)) as [Store, ...Store[]]);
  return { copies, deps: { ...deps, store: (name) => (names.includes(name) ? copies : deps.store(name)) } };
}

/**
 * Does work that reads a bundle. Where an object turns out to be damaged, or its store falls silent while it is read, it
 * is done again with the other copy first.
 * @param work is told how often it was begun before in this attempt
 */
export async function fromCopies<T>(
  deps: Deps,
  { store, replica }: Copies,
  work: (deps: Deps, copies: CopiedStore, round: number) => Promise<T>,
): Promise<T> {
  const first = readingCopies(deps, { store, replica });
  if (replica === undefined) return work(first.deps, first.copies, 0);
  try {
    return await work(first.deps, first.copies, 0);
  } catch (error) {
    if (!isSilence(error) && !(error instanceof Failure && error.code === 'BundleDamaged')) throw error;
    const second = readingCopies(deps, { store: replica, replica: store });
    return work(second.deps, second.copies, 1);
  }
}
