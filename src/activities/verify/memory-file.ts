// A file in the machine's memory, for what is too large for the worker's own and must not touch a disk: below /dev/shm,
// where that is a tmpfs (Linux). Other machines, macOS among them, have no such place, and there is no room then. The kernel
// may swap it out as it may any memory of a process: a vault's swap is encrypted, or off.

import { mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../../domain/limits.ts';

const place = '/dev/shm';
/** TMPFS_MAGIC, statfs(2). */
const tmpfs = 0x01_02_19_94;
const prefix = 'clawback-';

export type HasRoom = (sizeBytes: number) => Promise<boolean>;

/** Both in the place and in the memory that the machine, or what bounds this process, can spare. */
export const hasRoomInMemory: HasRoom = async (sizeBytes) => {
  const { type, bavail, bsize } = await statfs(place).catch(() => ({ type: 0, bavail: 0, bsize: 0 }));
  const spareBytes = process.availableMemory() * limits.verifyMemoryShare;
  return type === tmpfs && sizeBytes <= Math.min(bavail * bsize, spareBytes);
};

/**
 * The file is the owner's alone and gone when `work` has ended; one that a killed process left goes with the next.
 * @param work gets a path where nothing lies yet
 */
export async function withMemoryFile<T>(work: (path: string) => Promise<T>): Promise<T> {
  await removeLeft();
  const folder = await mkdtemp(join(place, `${prefix}${process.pid}-`));
  try {
    return await work(join(folder, 'file'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of our own dead: nobody else may remove it. */
async function removeLeft(): Promise<void> {
  for (const name of await readdir(place)) {
    const [, pid] = /^clawback-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(place, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
