// The product's main job from outside: a lane backed up, wrecked, restored, answering again, identical by digest.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackup, startRestore } from '../../src/client/start.ts';
import { type BedKind, bestBedKind } from '../bed/bed.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import { Rig } from '../rig/rig.ts';
import { wreckLane } from '../rig/wreck.ts';

const kinds: readonly BedKind[] = bestBedKind() === 'namespaces' ? ['namespaces', 'sshd'] : [bestBedKind()];

describe.each(kinds)('on hosts of kind %s', (kind) => {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-e2e-'));
  let rig: Rig;

  beforeAll(async () => {
    rig = await Rig.start({ kind, dir, hosts: [{ name: 'mac-1', lanes: 1 }], dataBytes: 5e6 });
    await rig.startWorker();
  });

  afterAll(async () => {
    await rig.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('brings a wrecked lane back, whole and answering', async () => {
    const [lane] = rig.bed.lanes;
    if (!lane) throw new Error('the bed has no lane');
    const before = pictureOf(lane);
    const backup = await (await startBackup(rig.client, { lane: lane.lane, tier: 'B' })).result();
    expect(backup.sizeBytes).toBeGreaterThan(4e6);
    expect(backup.suspect).toEqual([]);
    expect(backup.warnings).toEqual([]);

    await wreckLane(rig.bed, lane);
    const restored = await (await startRestore(rig.client, { lane: lane.lane })).result();
    expect(restored.messageAnswered).toBe(true);
    expect(restored.overBudget).toEqual([]);
    expect(restored.rpo.map(({ dataClass }) => dataClass)).toEqual([1, 2]);
    expect(pictureDifferences(before, pictureOf(lane))).toEqual([]);
  });
});
