// The disaster "disk full": a small file system of the lane's own, filled to its last byte, most of it by caches.

import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { startBackup } from '../../src/client/start.ts';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import type { Rig } from '../rig/rig.ts';
import type { Cause } from './rehearsal.ts';

const sizeBytes = 96e6;
const host = 'mac-1';

/** Its home on a file system of its own: the host is down meanwhile. */
async function moveOntoSmallDisk(rig: Rig): Promise<() => Promise<void>> {
  const lane = laneOf(rig);
  const [image, mounted] = [join(rig.dir, 'small-disk.img'), join(rig.dir, 'small-disk')];
  const run = (program: string, ...args: string[]): void => void execFileSync(program, args, { stdio: 'ignore' });
  await rig.bed.host(host).kill();
  mkdirSync(mounted);
  run('truncate', '-s', String(sizeBytes), image);
  // no blocks are kept for root, who plays the lane's user on some beds
  run('mkfs.ext4', '-q', '-m', '0', '-F', image);
  run('mount', '-o', 'loop', image, mounted);
  run('cp', '-a', `${lane.realHome}/.`, mounted);
  run('umount', mounted);
  run('mount', '-o', 'loop', image, lane.realHome);
  await rig.bed.host(host).boot();
  return async () => run('umount', '-l', lane.realHome);
}

function laneOf(rig: Rig): BedLane {
  return rig.bed.lanes[0] as BedLane;
}

/** Class 3, and beside it what only looks like it. */
function plant({ realHome: home }: BedLane, outside: string): void {
  const put = (path: string, bytes: number): void => {
    mkdirSync(join(home, path, '..'), { recursive: true });
    writeFileSync(join(home, path), Buffer.alloc(bytes, 7));
  };
  for (let at = 0; at < 20; at += 1) put(`.npm/_cacache/${at}`, 1e6);
  put('workspace/app/node_modules/left-pad/index.js', 5e6);
  put('workspace/app/package-lock.json', 10);
  put('workspace/handmade/node_modules/own-work/index.js', 1e6);
  put('workspace/app/src/index.js', 1e4);
  mkdirSync(outside, { recursive: true });
  writeFileSync(join(outside, 'not-the-lanes'), 'stays');
  symlinkSync(outside, join(home, '.cache'));
}

/** To the last block, by what is no cache. */
function fill({ realHome: home }: BedLane): void {
  const file = openSync(join(home, 'ballast'), 'w');
  for (const size of [1e6, 64e3, 4096, 512]) while (isWritten(file, size));
  closeSync(file);
}

function isWritten(file: number, size: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(size, 1)) === size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}

function usedPercent({ realHome }: BedLane): number {
  const { blocks, bavail } = statfsSync(realHome);
  return Math.round((1 - bavail / blocks) * 100);
}

async function check(rig: Rig, { outcome }: IncidentState): Promise<string[]> {
  const lane = laneOf(rig);
  const here = (path: string): boolean => existsSync(join(lane.realHome, path));
  const freed = outcome?.pruned?.[0];
  const faults: readonly (readonly [string, boolean])[] = [
    ['the npm cache is still full', readdirSync(join(lane.realHome, '.npm')).length > 0],
    ['packages beside a lockfile are still there', here('workspace/app/node_modules')],
    ['packages without a lockfile are gone', !here('workspace/handmade/node_modules/own-work/index.js')],
    ['source code is gone', !here('workspace/app/src/index.js')],
    ['what a link leads to is gone', !existsSync(join(rig.dir, 'outside', 'not-the-lanes'))],
    ['the ballast is gone', !here('ballast')],
    ['freed bytes were not told', freed === undefined || freed.freeAfterBytes - freed.freeBeforeBytes < 20e6],
  ];
  return faults.filter(([, is]) => is).map(([what]) => what);
}

export const diskFull: Cause = {
  scenario: 'disk-full',
  subject: host,
  bed: {
    kind: bestBedKind() === 'in-process' ? 'in-process' : 'sshd',
    hosts: [{ name: host, lanes: 1 }],
    dataBytes: 1e6,
  },
  prepare: moveOntoSmallDisk,
  strike: async (rig) => {
    const lane = laneOf(rig);
    await (await startBackup(rig.client, { lane: lane.lane, tier: 'B', waitMs: 0 })).result();
    plant(lane, join(rig.dir, 'outside'));
    fill(lane);
    return {
      code: 'disk-full',
      since: new Date().toISOString(),
      text: `the disk of ${host} is ${usedPercent(lane)} % full`,
    };
  },
  check,
};
