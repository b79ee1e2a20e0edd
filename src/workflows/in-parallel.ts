// A bounded fan-out: the first failure cancels the rest, waits for them, and is thrown.

import { CancellationScope } from '@temporalio/workflow';

/**
 * Runs `work` over all items, at most `width` at a time; results keep the items' order.
 * Cancelling the surrounding scope cancels all of it.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  return CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const results: R[] = [];
    let next = 0;
    let failed: { readonly error: unknown } | undefined;
    const runner = async (): Promise<void> => {
      while (next < items.length && !failed) {
        const at = next++;
        try {
          results[at] = await work(items[at] as T);
        } catch (error) {
          failed ??= { error };
          scope.cancel();
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(width, items.length) }, runner));
    if (failed) throw failed.error;
    return results;
  });
}
