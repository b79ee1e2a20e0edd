// The store of a kind: one place that knows them all.

import { DirectoryStore } from './directory.ts';
import type { Store } from './store.ts';

/** A store as fleet.yaml describes it; S3 joins here. */
export interface StoreDescription {
  readonly kind: 'directory';
  readonly path: string;
}

export function openStore(name: string, { path }: StoreDescription): Store {
  return new DirectoryStore(name, path);
}
