// What no manifest names: the one place that knows, for the sweep and for expiry. A manifest that cannot be read stops
// both: what it names is not known, so nothing may go.

import { indexesPrefix, segmentsPrefix } from '../../bundle/object-keys.ts';
import { limits } from '../../domain/limits.ts';
import type { Store, StoredObject } from '../../store/store.ts';
import { deleteUnlocked, Locks } from './clocks.ts';

export interface Unnamed {
  readonly lane: string;
  readonly named: ReadonlySet<string>;
  /** Younger ones may be those of a backup whose manifest is not written yet. By the store's clock. */
  readonly olderThanMs: number;
  readonly signal: AbortSignal;
}

export interface Removed {
  readonly removedObjects: number;
  readonly removedBytes: number;
  readonly keptObjects: number;
  /** Skipped until their retention in the store ends. */
  readonly lockedObjects: number;
  /** When the last of these ends; null when there are none, or the store does not tell. */
  readonly lockedUntil: string | null;
}

/**
 * May be called again.
 * @param locks what was met before counts too
 */
export async function removeUnnamed(store: Store, rule: Unnamed, locks = new Locks()): Promise<Removed> {
  const { unnamed, keptObjects } = await findUnnamed(store, rule);
  let [removedObjects, removedBytes] = [0, 0];
  await atOnce(unnamed, async ({ key, sizeBytes }) => {
    rule.signal.throwIfAborted();
    if (await deleteUnlocked(store, key, locks)) {
      removedObjects += 1;
      removedBytes += sizeBytes;
    }
  });
  return { removedObjects, removedBytes, keptObjects, lockedObjects: locks.objects, lockedUntil: locks.until };
}

async function findUnnamed(
  store: Store,
  { lane, named, olderThanMs, signal }: Unnamed,
): Promise<{ readonly unnamed: readonly StoredObject[]; readonly keptObjects: number }> {
  const unnamed: StoredObject[] = [];
  let keptObjects = 0;
  for (const prefix of [segmentsPrefix(lane), indexesPrefix(lane)]) {
    for await (const object of store.list(prefix, { signal })) {
      if (!named.has(object.key) && object.modifiedAtMs <= olderThanMs) unnamed.push(object);
      else keptObjects += 1;
    }
  }
  return { unnamed, keptObjects };
}

/** A failure ends all; what was begun is waited for, so that nothing is deleted after the step has ended. */
async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const failures: unknown[] = [];
  const one = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined && failures.length === 0; item = rest.shift())
      await work(item).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: limits.deletesAtOnce }, one));
  if (failures.length > 0) throw failures[0];
}
