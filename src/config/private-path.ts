// Paths as they stand in fleet.yaml: relative to its folder, or below the home of whoever runs the worker (`~/`).

import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';

/** The absolute path; a path from `~/` is below the home of this process. */
export function resolvePath(baseDir: string, path: string): string {
  return path.startsWith('~/') ? resolve(homedir(), path.slice(2)) : resolve(baseDir, path);
}

/** Can others than its owner read the file? False when it is not there. */
export async function isReadableByOthers(path: string): Promise<boolean> {
  try {
    return ((await stat(path)).mode & 0o077) !== 0;
  } catch {
    return false;
  }
}
