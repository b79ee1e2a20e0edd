// The whole path over S3, with the accounts and the policy of docs/s3.md: a backup, a server killed in its middle, later
// versions planted over every object, a wrecked lane, its restore, a sweep.

import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackup, startRestore, startSweep } from '../../src/client/start.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { type FaultRule, HttpFaults } from '../bed/http-faults.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import type { Rig } from '../rig/rig.ts';
import { wreckLane } from '../rig/wreck.ts';
import { S3Store } from '../../src/store/s3.ts';
import { editFleet, startRig, stopRig } from './kit.ts';

let rig: Rig;
let lane: BedLane;
let store: S3Store;
let faults: HttpFaults;

beforeAll(async () => {
  rig = await startRig({ kind: bestBedKind(), hosts: [{ name: 'mac-1', lanes: 1 }], dataBytes: 30e6, store: 's3' });
  const { s3 } = rig;
  if (s3 === undefined) throw new Error('the rig has no S3 server');
  faults = await HttpFaults.start(s3.server.endpoint);
  editFleet(rig, (fleet) => {
    // sealed they are larger than what one request takes
    fleet.limits = { segment: '16MiB' };
    Object.assign(fleet.stores['primary'] ?? {}, { endpoint: faults.endpoint });
  });
  [lane] = rig.bed.lanes as [BedLane];
  store = new S3Store('root', s3.describe('clawback'));
  // one process for each kind of queue: each has only the secrets that its queues need
  await Promise.all([rig.startWorker(['host']), rig.startWorker(['data']), rig.startWorker(['vault', 'vaultData'])]);
});
afterAll(async () => {
  await stopRig(rig);
  await faults?.close();
});

async function keys(prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (const deadlineMs = Date.now() + 60_000; !(await what()); ) {
    if (Date.now() > deadlineMs) throw new Error('it never came to that');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The server has taken such a request, and is killed before anybody hears of it; a second later it is there again. */
async function killedAt(when: FaultRule['when']): Promise<void> {
  faults.set({ when, fault: 'lose-answer', times: 1, onDone: () => rig.s3?.server.kill() });
  await until(async () => faults.hits > 0);
  await rig.s3?.server.exited;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await rig.s3?.restart();
}

describe('a fleet on S3', () => {
  it('finishes a backup whose server was killed in the middle of an upload, and again while it took the manifest', async () => {
    const run = await startBackup(rig.client, { lane: lane.lane, tier: 'B' });
    await killedAt((method, target) => method === 'PUT' && target.includes('partNumber=2'));
    await killedAt((method, target) => method === 'PUT' && target.includes('/manifests/'));
    const { bundle, segments } = await run.result();
    expect(await keys(`${lane.lane}/manifests/`)).toEqual([`${lane.lane}/manifests/${bundle}.json`]);
    expect(segments).toBeGreaterThan(3);
  });

  it('brings a wrecked lane back though newer versions were planted over every object', async () => {
    const before = pictureOf(lane);
    const { sealedBytes } = await (await startBackup(rig.client, { lane: lane.lane, tier: 'B' })).result();
    expect(sealedBytes).toBeGreaterThan(0);
    for (const key of await keys(`${lane.lane}/`))
      await rig.s3?.client().send(new PutObjectCommand({ Bucket: 'clawback', Key: key, Body: 'planted' }));
    await wreckLane(rig.bed, lane);
    const restored = await (await startRestore(rig.client, { lane: lane.lane })).result();
    expect(restored.messageAnswered).toBe(true);
    expect(pictureDifferences(before, pictureOf(lane))).toEqual([]);
  });

  it('is swept of what the killed server left, and of nothing else', async () => {
    await (await startSweep(rig.client, { lane: lane.lane, minAgeMs: 0 })).result();
    const again = await (await startSweep(rig.client, { lane: lane.lane, minAgeMs: 0 })).result();
    expect(again).toMatchObject({ removedObjects: 0, staleUploads: 0 });
    expect(again.keptObjects).toBe(
      (await keys(`${lane.lane}/segments/`)).length + (await keys(`${lane.lane}/indexes/`)).length,
    );
  });
});
