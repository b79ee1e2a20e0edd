// The disaster "disk full": a small file system of the lane's own, filled to its last byte, most of it by caches.

import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackup } from '../../src/client/start.ts';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { fillDisk, fillName, moveOntoSmallDisk } from '../bed/small-disk.ts';
import type { Rig } from '../rig/rig.ts';
import { type Checks, whatIsSo } from './checks.ts';
import type { Cause } from './rehearsal.ts';

const host = 'mac-1';

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

async function check(rig: Rig, { outcome }: IncidentState): Promise<string[]> {
  const lane = laneOf(rig);
  const here = (path: string): boolean => existsSync(join(lane.realHome, path));
  const freed = outcome?.pruned?.[0];
  const faults: Checks = [
    ['the npm cache is still full', readdirSync(join(lane.realHome, '.npm')).length > 0],
    ['packages beside a lockfile are still there', here('workspace/app/node_modules')],
    ['packages without a lockfile are gone', !here('workspace/handmade/node_modules/own-work/index.js')],
    ['source code is gone', !here('workspace/app/src/index.js')],
    ['what a link leads to is gone', !existsSync(join(rig.dir, 'outside', 'not-the-lanes'))],
    ['what filled it is gone', !here(fillName)],
    ['freed bytes were not told', freed === undefined || freed.freeAfterBytes - freed.freeBeforeBytes < 20e6],
  ];
  return whatIsSo(faults);
}

export const diskFull: Cause = {
  scenario: 'disk-full',
  subject: host,
  bed: {
    kind: bestBedKind() === 'in-process' ? 'in-process' : 'sshd',
    hosts: [{ name: host, lanes: 1 }],
    dataBytes: 1e6,
  },
  prepare: async (rig) => {
    const remove = await moveOntoSmallDisk(rig.bed, laneOf(rig), { dir: rig.dir, sizeBytes: 96e6 });
    return async () => remove();
  },
  before: async (rig) => {
    await (await startBackup(rig.client, { lane: laneOf(rig).lane, tier: 'B', waitMs: 0 })).result();
  },
  strike: async (rig) => {
    plant(laneOf(rig), join(rig.dir, 'outside'));
    fillDisk(laneOf(rig));
  },
  check,
};
