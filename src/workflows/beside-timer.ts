// Work beside a timer: a budget that runs out while the work goes on is told at once, and the work finishes all the same.

import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

export interface Budget {
  /** The timer's summary, which the Temporal UI shows. */
  readonly name: string;
  /** In milliseconds; told at once where nothing is left. */
  readonly leftMs: number;
  readonly onLate: () => void;
}

/** What `work` answers or throws. The timer ends with it. */
export async function besideTimer<T>({ name, leftMs, onLate }: Budget, work: () => Promise<T>): Promise<T> {
  const timer = new CancellationScope();
  const rings = timer.run(async () => {
    await sleep(Math.max(leftMs, 1), { summary: name });
    onLate();
  });
  const silent = rings.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
  try {
    return await work();
  } finally {
    timer.cancel();
    await silent;
  }
}
