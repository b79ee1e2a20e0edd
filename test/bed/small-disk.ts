// A small file system for the home of a bed's lane, which can be filled to its last byte. Only root can mount one.

import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed, BedLane } from './bed-types.ts';

/**
 * Moves the lane's home onto a file system of its own. Its host is down meanwhile, and of the kind `sshd`: hosts in
 * namespaces do not see what is mounted later.
 * @param place `dir`: for image and mount point; `sizeBytes`: of the file system
 * @returns what takes it away again, once the host has stopped
 */
export async function moveOntoSmallDisk(
  bed: Bed,
  lane: BedLane,
  { dir, sizeBytes }: { readonly dir: string; readonly sizeBytes: number },
): Promise<() => void> {
  const [image, mounted] = [join(dir, 'small-disk.img'), join(dir, 'small-disk')];
  const run = (program: string, ...args: string[]): void => void execFileSync(program, args, { stdio: 'ignore' });
  const host = bed.host(lane.host);
  await host.kill();
  mkdirSync(mounted, { recursive: true });
  run('truncate', '-s', String(sizeBytes), image);
  // no blocks are kept for root, who plays the lane's user on some beds
  run('mkfs.ext4', '-q', '-m', '0', '-F', image);
  run('mount', '-o', 'loop', image, mounted);
  run('cp', '-a', `${lane.realHome}/.`, mounted);
  run('umount', mounted);
  run('mount', '-o', 'loop', image, lane.realHome);
  await host.boot();
  return () => run('umount', '-l', lane.realHome);
}

/** By what is no cache. */
export const fillName = 'filling';

/** To the last block, by one file that grows; what was freed a moment ago too. */
export function fillDisk({ realHome: home }: Pick<BedLane, 'realHome'>): void {
  const path = join(home, fillName);
  const { bavail, bsize } = statfsSync(home);
  // nearly all of it at once, where the machine can; the rest is written
  spawnSync('fallocate', ['-l', String(Math.max(1, bavail * bsize - 1e6)), path]);
  const file = openSync(path, 'a');
  // freed blocks come back with the file system's own commit
  for (let round = 0; round < 2; round += 1) {
    execFileSync('sync', ['-f', home]);
    for (const size of [1e6, 64e3, 4096, 512]) while (isWritten(file, size));
  }
  closeSync(file);
}

/** Gives back what {@link fillDisk} took. */
export function emptyDisk({ realHome: home }: Pick<BedLane, 'realHome'>): void {
  rmSync(join(home, fillName), { force: true });
}

function isWritten(file: number, size: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(size, 1)) === size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}

export function usedPercent({ realHome: home }: Pick<BedLane, 'realHome'>): number {
  const { blocks, bavail } = statfsSync(home);
  return Math.round((1 - bavail / blocks) * 100);
}
