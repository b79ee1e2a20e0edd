// Any tree comes back as it was, through bsdtar and through GNU tar: names as bytes, links, modes, times, sparse files,
// files larger than a segment. What is left out is counted, and named on the lane.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awkwardTree } from '../bed/awkward-tree.ts';
import { type BedKind, type BedLane, bestBedKind } from '../bed/bed.ts';
import { findProgram } from '../bed/programs.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import type { Rig } from '../rig/rig.ts';
import { wreckLane } from '../rig/wreck.ts';
import { backUp, editFleet, leftOn, restore, startRig, stopRig } from './kit.ts';

const kinds: readonly BedKind[] = bestBedKind() === 'namespaces' ? ['namespaces', 'sshd'] : [bestBedKind()];
const mib = 1 << 20;

describe.each(kinds)('on hosts of kind %s', (kind) => {
  let rig: Rig;
  let lane: BedLane;

  beforeAll(async () => {
    rig = await startRig({ kind, hosts: [{ name: 'mac-1', lanes: 1 }] });
    editFleet(rig, (fleet) => {
      fleet.limits = { segment: '1MiB' };
      const host = fleet.hosts['mac-1'];
      // the second kind has the other tar
      if (kind === 'sshd' && host) host['tools'] = { ...rig.bed.host('mac-1').tools, tar: findProgram('tar') };
    });
    lane = rig.bed.lanes[0] as BedLane;
    for (const place of places) await plant(join(lane.realHome, place));
    await rig.startWorker();
  });

  afterAll(() => stopRig(rig));

  const places = ['workspace/awkward', '.openclaw/transcripts/awkward'];

  async function plant(folder: string): Promise<void> {
    await awkwardTree(folder);
    makeLarge(join(folder, 'large'));
    const { uid, gid } = statSync(lane.realHome);
    spawnSync('chown', ['-Rh', `${uid}:${gid}`, folder]);
    // chown takes this bit away
    chmodSync(join(folder, 'modes/file-2755'), 0o2755);
  }

  it('brings back whatever a file system holds, or says what it left out', async () => {
    const before = pictureOf(lane);
    const backup = await backUp(rig, lane);
    expect(backup.suspect).toEqual([]);
    const omitted = Object.fromEntries(backup.omissions.map(({ reason, count }) => [reason, count]));
    expect(omitted).toMatchObject({ fifo: 2, socket: 2 });
    expect(omitted).not.toHaveProperty('vanished');
    const report = readFileSync(join(lane.realHome, '.clawback/report'), 'utf8');
    for (const place of places) expect(report).toContain(`left out (fifo): "${place}/special/fifo"`);

    await wreckLane(rig.bed, lane);
    expect((await restore(rig, lane)).messageAnswered).toBe(true);
    const missing = places.flatMap((place) => {
      const [root = '', ...rest] = place.split('/');
      return ['fifo', 'socket'].map(
        (name) => `${root}: missing ${JSON.stringify([...rest, 'special', name].join('/'))}`,
      );
    });
    expect(pictureDifferences(before, pictureOf(lane)).toSorted()).toEqual(missing.toSorted());
    expect(leftOn(lane).filter((name) => name.startsWith('run/') || name.startsWith('stage/'))).toEqual([]);
  });

  it('keeps sparse files sparse, far larger than a segment too', () => {
    for (const place of places) {
      for (const name of ['sizes/sparse', 'large/sparse']) {
        const { size, blocks } = statSync(join(lane.realHome, place, name));
        expect(blocks * 512, name).toBeLessThan(size / 20);
      }
    }
  });
});

/** Against segments of 1 MiB: one of several ranges and a rest, one that ends with a range, one with holes, one mostly hole. */
function makeLarge(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ranges and a rest'), Buffer.alloc(3.5 * mib, 'all the same but for its length '));
  writeFileSync(join(folder, 'whole ranges'), Buffer.alloc(2 * mib, 'x'), { mode: 0o640 });
  writeSparse(join(folder, 'half hole'), 4 * mib, [
    [0, 1.5 * mib],
    [2.5 * mib, 1 * mib],
  ]);
  writeSparse(join(folder, 'sparse'), 300 * mib, [
    [64 * mib, 4096],
    [299 * mib, 4096],
  ]);
}

function writeSparse(path: string, sizeBytes: number, pieces: readonly (readonly [number, number])[]): void {
  const file = openSync(path, 'w');
  for (const [offset, length] of pieces) writeSync(file, Buffer.alloc(length, offset.toString()), 0, length, offset);
  ftruncateSync(file, sizeBytes);
  closeSync(file);
}
