// What time it is in a store, and whether the clocks agree: nothing is removed by a clock that is a minute off.
// The store's clock is read from an object that is made for it: every store tells when an object was written.

import { clockKey, clockPrefix } from '../../bundle/object-keys.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import type { Store } from '../../store/store.ts';
import type { Run } from '../step.ts';

/**
 * The store's time, ms since the epoch; at most a second early. ClockOff when worker and Temporal, or worker and store
 * differ by more than limits.clockOffsetMs, or when the store took so long that nobody can say.
 */
export async function storeTime(store: Store, lane: string, run: Run): Promise<number> {
  // The wait for a slot counts as an offset: a step that waited for a minute is measured anew, by its next attempt.
  requireSmall('Temporal', run.scheduledAtMs - Date.now());
  const { storeMs, sentMs, receivedMs } = await probe(store, lane, run);
  if (receivedMs - sentMs > limits.clockOffsetMs)
    throw off(`store ${store.name} took ${receivedMs - sentMs} ms to tell the time: its clock is not known`);
  // within these the clocks may agree: some stores tell whole seconds
  if (storeMs > receivedMs) requireSmall(`store ${store.name}`, storeMs - receivedMs);
  if (storeMs + 1000 < sentMs) requireSmall(`store ${store.name}`, storeMs + 1000 - sentMs);
  return storeMs;
}

function requireSmall(whose: string, offsetMs: number): void {
  if (Math.abs(offsetMs) <= limits.clockOffsetMs) return;
  throw off(
    `the clock of ${whose} is ${offsetMs} ms off this worker's; nothing is removed past ${limits.clockOffsetMs}`,
  );
}

function off(message: string): Failure {
  return new Failure('ClockOff', message);
}

interface Probed {
  readonly storeMs: number;
  readonly sentMs: number;
  readonly receivedMs: number;
}

async function probe(store: Store, lane: string, { signal }: Run): Promise<Probed> {
  const key = clockKey(lane);
  const sentMs = Date.now();
  await store.put(key, Buffer.from('clock\n'), { signal, passing: true });
  const receivedMs = Date.now();
  let storeMs: number | undefined;
  const probes: string[] = [];
  for await (const object of store.list(clockPrefix(lane), { signal })) {
    probes.push(object.key);
    if (object.key === key) storeMs = object.modifiedAtMs;
  }
  for (const one of probes) await deleteUnlocked(store, one);
  if (storeMs !== undefined) return { storeMs, sentMs, receivedMs };
  throw new Failure('StoreUnreachable', `store ${store.name} does not list what was just written`, {
    store: store.name,
  });
}

/** Objects that their retention still holds, as they were met. */
export class Locks {
  objects = 0;
  /** When the last of them is let go; null while none is held, or the store does not tell. */
  until: string | null = null;

  meet(until: string | undefined): void {
    this.objects += 1;
    if (until !== undefined && (this.until === null || until > this.until)) this.until = until;
  }
}

/** @returns whether it is gone; false while its retention runs, and then `locks` has met it */
export async function deleteUnlocked(store: Store, key: string, locks = new Locks()): Promise<boolean> {
  try {
    await store.delete(key);
    return true;
  } catch (error) {
    if (!isFailure(error, 'ObjectLocked')) throw error;
    locks.meet(error.context.until);
    return false;
  }
}
