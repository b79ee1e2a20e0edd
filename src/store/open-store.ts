// The store of a kind: one place that knows them all.

import { assertNever } from '../domain/assert-never.ts';
import { DirectoryStore } from './directory.ts';
import { type S3Description, S3Store } from './s3.ts';
import type { Store } from './store.ts';

interface DirectoryDescription {
  readonly kind: 'directory';
  /** Absolute. */
  readonly path: string;
}

/** A store as fleet.yaml describes it, for one use of it. */
export type StoreDescription = DirectoryDescription | S3Description;

export function openStore(name: string, description: StoreDescription): Store {
  switch (description.kind) {
    case 'directory':
      return new DirectoryStore(name, description.path);
    case 's3':
      return new S3Store(name, description);
    default:
      return assertNever(description);
  }
}
