// The whole path over S3, with the accounts and the policy of docs/s3.md: a backup, a server killed in its middle, later
// versions planted over every object, a wrecked lane, its restore, a sweep.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackup, startRestore, startSweep } from '../../src/client/start.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { type FaultRule, HttpFaults } from '../bed/http-faults.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import { openRigStore, type RigStore } from '../rig/rig-store.ts';
import type { Rig } from '../rig/rig.ts';
import { wreckLane } from '../rig/wreck.ts';
import { S3Store } from '../../src/store/s3.ts';
import { run as runCli } from '../unit/cli/around.ts';
import { backUp, editFleet, restore, startRig, stopRig } from './kit.ts';

let rig: Rig;
let lane: BedLane;
let store: S3Store;
let faults: HttpFaults;
let far: RigStore;

beforeAll(async () => {
  rig = await startRig({ kind: bestBedKind(), hosts: [{ name: 'mac-1', lanes: 1 }], dataBytes: 30e6, store: 's3' });
  const { s3 } = rig;
  if (s3 === undefined) throw new Error('the rig has no S3 server');
  faults = await HttpFaults.start(s3.server.endpoint);
  const place = { dir: join(rig.dir, 'far'), keysDir: join(rig.dir, 'far/keys') };
  mkdirSync(place.keysDir, { recursive: true });
  far = await openRigStore('s3', place);
  editFleet(rig, (fleet) => {
    fleet.stores['far'] = { ...far.entry, region: 'seoul', replicaOf: 'primary' };
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
  await far?.s3?.stop();
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

describe('a replica on S3', () => {
  const clawback = (...argv: string[]) => runCli(argv, { cwd: rig.dir, env: rig.env as Record<string, string> });

  it('gives the rest of a restore whose store is killed in the middle of the segments; the result says which gave what', async () => {
    const before = pictureOf(lane);
    const { bundle, replica, warnings } = await backUp(rig, lane);
    expect({ replica, warnings }).toEqual({ replica: 'far', warnings: [] });
    await wreckLane(rig.bed, lane);
    let asked = 0;
    faults.set({
      when: (method, target) => method === 'GET' && target.includes('/segments/') && ++asked > 2,
      fault: 'cut-answer',
      onDone: () => rig.s3?.server.kill(),
    });
    const restored = await restore(rig, lane, { bundle });
    faults.set(undefined);
    expect(restored.messageAnswered).toBe(true);
    expect(restored.plan?.store).toBe('primary');
    expect(restored.stores.map(({ store: name }) => name).toSorted()).toEqual(['far', 'primary']);
    expect(pictureDifferences(before, pictureOf(lane))).toEqual([]);
  });

  it('is what status, bundles and a restore read while the store is down', async () => {
    const status = await clawback('status', lane.lane, '--json');
    expect(JSON.parse(status.out)).toMatchObject({
      lanes: [
        {
          captures: { seen: { class2: { bundle: expect.any(String) }, instead: { replica: 'far' } } },
          copies: {
            stores: [
              { store: 'primary', code: 'StoreUnreachable' },
              { store: 'far', region: 'seoul' },
            ],
          },
        },
      ],
    });
    const listed = await clawback('bundles', 'list', lane.lane);
    expect(listed.out).toMatch(/ far +proven by /);
    expect(listed.status).toBe(6);
    await wreckLane(rig.bed, lane);
    const restored = await restore(rig, lane);
    expect(restored.messageAnswered).toBe(true);
    expect(restored.stores.map(({ store: name }) => name)).toEqual(['far']);
    expect(restored.warnings).toContainEqual(expect.stringContaining('store primary does not answer'));
  });

  it('has what was made while it was down itself after the next backup, once both are back', async () => {
    await rig.s3?.restart();
    await far.s3?.kill();
    const alone = await backUp(rig, lane);
    expect(alone.warnings).toContainEqual(expect.stringContaining('far'));
    await far.s3?.restart();
    const { replica } = await backUp(rig, lane);
    expect(replica).toBe('far');
    const { out, status } = await clawback('bundles', 'list', lane.lane, '--json');
    const [{ bundles }] = (JSON.parse(out) as { lanes: [{ bundles: { bundle: string; stores: string[] }[] }] }).lanes;
    expect(bundles.map(({ bundle }) => bundle)).toContain(alone.bundle);
    for (const { stores } of bundles) expect(stores).toEqual(['primary', 'far']);
    expect(status).toBe(0);
  });
});
