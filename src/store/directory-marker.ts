// What tells a directory store from an empty folder that lies where its volume should be mounted: a file beside its
// objects, made once by `./clawback stores init`. Without it nothing is written there.

import { lstat, mkdir, open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { directoryFailure, errnoOf } from './directory-failure.ts';
import { syncDirectory } from './directory-file.ts';

/** Names from a dot are no object's: no key can reach it. */
const markerName = '.clawback-store';
const text = `This folder is a Clawback store, format 1. Without this file nothing is written here: it tells the store
from the empty folder that is left when its volume is not mounted. Do not copy it by hand.
`;

export async function hasMarker(root: string): Promise<boolean> {
  try {
    return (await lstat(join(root, markerName))).isFile();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) return false;
    throw error;
  }
}

export function unmarked(store: string): Failure {
  return new Failure('StoreUnmarked', `store ${store}: its folder is there, but has no ${markerName}`, { store });
}

/**
 * Makes a folder a store; its parent must be there, for a missing one may be a volume that is not mounted.
 * May be called again.
 * @returns false when it was one already
 * @throws Failure StoreUnreachable, StoreRefused, StoreFull
 */
export async function markDirectory(store: string, path: string): Promise<boolean> {
  const root = resolve(path);
  try {
    await mkdir(root, { mode: 0o700 }).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
    if (await hasMarker(root)) return false;
    await writeMarker(root);
    return true;
  } catch (error) {
    throw directoryFailure(error, store, 'make its folder a store');
  }
}

async function writeMarker(root: string): Promise<void> {
  await using file = await open(join(root, markerName), 'w', 0o600);
  await file.writeFile(text);
  await file.sync();
  await syncDirectory(root);
}
