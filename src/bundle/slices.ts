// Long computations that let others run: written as generators that yield now and then, run in one go or in slices.

import { setImmediate as breathe } from 'node:timers/promises';

/** Small steps between two yields: some 10 µs each, so 10 ms; heartbeats go every 2 s, and other segments stream beside. */
const stepsPerYield = 1000;

export type Steps<T> = Generator<undefined, T>;

/** The items, with a yield after each thousand of them. */
export function* eachOf<T>(items: Iterable<T>, work: (item: T) => void): Steps<void> {
  let count = 0;
  for (const item of items) {
    work(item);
    if (++count % stepsPerYield === 0) yield;
  }
}

/** In one go. */
export function toEnd<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** With timers, streams and heartbeats in between. */
export async function inSlices<T>(steps: Steps<T>): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    await breathe();
    step = steps.next();
  }
  return step.value;
}
