// Where fetched programs rest: one folder for each pinned version, filled by one rename, so that what is found there
// is always whole. A lock keeps a second starter from building the same program beside the first; it only saves
// work, for two who finish rename the same bytes over each other.

import { constants } from 'node:fs';
import { access, mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const second = 1000;
/** The holder touches its lock this often; untouched for six times as long, its holder is dead. */
const lockTouchMs = 5 * second;
const lockStaleMs = 30 * second;
const lockPollMs = second / 2;

/** The folder of one program in one version, `~/.cache/clawback/tools/<name>`; not made. */
export function toolFolder(name: string): string {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'clawback', 'tools', name);
}

export async function isExecutable(path: string): Promise<boolean> {
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  return executable && (await stat(path)).isFile();
}

/** A program on PATH, by its absolute path. */
export async function findOnPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (folder.startsWith('/') && (await isExecutable(path))) return path;
  }
  return undefined;
}

async function isStale(lock: string): Promise<boolean> {
  const touchedAtMs = await stat(lock).then(
    (found) => found.mtimeMs,
    () => 0,
  );
  return Date.now() - touchedAtMs > lockStaleMs;
}

async function tryLock(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (await isStale(lock)) await rm(lock, { force: true });
  return false;
}

/** Runs `work` while no other process does so under the same lock; `onWait` is called about twice a second. */
export async function withLock<T>(lock: string, work: () => Promise<T>, onWait: () => void): Promise<T> {
  await mkdir(dirname(lock), { recursive: true });
  while (!(await tryLock(lock))) {
    onWait();
    await sleep(lockPollMs);
  }
  const touch = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => undefined), lockTouchMs);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    await rm(lock, { force: true });
  }
}

/**
 * Puts a program into the cache: `make` is given an empty folder beside its place and returns the path in it, or
 * undefined when there is none to be had. The program appears in its place whole or not at all.
 */
export async function installTool(
  place: string,
  make: (folder: string) => Promise<string | undefined>,
): Promise<boolean> {
  const scratch = join(dirname(dirname(place)), `.${basename(dirname(place))}-${process.pid}-${Date.now()}`);
  await mkdir(scratch, { recursive: true });
  try {
    const made = await make(scratch);
    if (made === undefined) return false;
    await mkdir(dirname(place), { recursive: true });
    await rename(made, place);
    return true;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
