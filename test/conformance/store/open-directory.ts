import { DirectoryStore } from '../../../src/store/directory.ts';
import type { Store } from '../../../src/store/store.ts';

export function openStore(root: string): Store {
  return new DirectoryStore('bed', root);
}
