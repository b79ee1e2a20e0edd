// A wait that ends with its signal's own reason: a cancellation is passed on as what it is.

import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../domain/limits.ts';

/** Before the next look at what takes from some ms to minutes: short at first, `limits.pollMs` in the long run. */
export function nextLookMs(looks: number): number {
  return Math.min(limits.pollMs, limits.pollFirstMs * 2 ** looks);
}

/** @throws the signal's reason when aborted */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
