import type { Store } from '../store/store.ts';

/** The sizes of all objects below some prefixes, by key. */
export async function storedSizes(
  store: Store,
  prefixes: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const prefix of prefixes) {
    for await (const { key, sizeBytes } of store.list(prefix, { signal })) sizes.set(key, sizeBytes);
  }
  return sizes;
}
