// A wait that ends with its signal's own reason: a cancellation is passed on as what it is.

import { setTimeout as sleep } from 'node:timers/promises';

/** @throws the signal's reason when aborted */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
