// Expiry over a bucket whose objects are locked one by one: by the real activities, on a real server, with the account of
// the bucket's owner, who alone could go round a lock (GOVERNANCE). That nothing locked goes shows that nobody asks for it.

import { DeleteObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { segmentKey, tombstoneKey } from '../../../src/bundle/object-keys.ts';
import { S3Store } from '../../../src/store/s3.ts';
import { S3Bed } from '../../bed/s3.ts';
import { World } from '../../unit/activities/expire/world.ts';
import { listed } from './suite.ts';

const Bucket = 'locked';
let bed: S3Bed;

beforeAll(async () => {
  bed = await S3Bed.start();
  await bed.makeBucket(Bucket, { lock: true });
});
afterAll(() => bed?.remove());

/** Of the calendar by which bundles are of one day: none whose midnight is near. */
function quietZone(): string {
  return [0, 23].includes(new Date().getUTCHours()) ? 'Asia/Tokyo' : 'UTC';
}

/** Every version that the bucket has of these keys. */
async function versions(keys: readonly string[]): Promise<string[]> {
  const { Versions = [] } = await bed.client().send(new ListObjectVersionsCommand({ Bucket }));
  return Versions.flatMap(({ Key = '', VersionId }) => (keys.includes(Key) ? [`${Key} ${VersionId}`] : [])).toSorted();
}

it('leaves what is locked until its time, which it tells, removes the rest meanwhile, and that one afterwards', async () => {
  const open = new S3Store('primary', bed.describe(Bucket));
  const locking = new S3Store('primary', bed.describe(Bucket, { retentionMs: 12_000 }));
  let place = locking;
  const retention = { daily: 1, weekly: 1, monthly: 1, graceMs: 0 };
  const world = new World({ retention, timeZone: quietZone(), place: () => place });
  const backUp = async (generation: number): Promise<string> => {
    for (const component of ['config', 'plists', 'transcripts', 'workspace', 'logs'] as const)
      world.change(component, generation);
    await world.beginBackup('B');
    return (await world.commitBackup()) ?? '';
  };

  const locked = await backUp(0);
  const ofLocked = (await listed(open, 'lane-1/')).map(({ key }) => key);
  const before = await versions(ofLocked);
  expect(before).toHaveLength(ofLocked.length);
  place = open;
  const free = await backUp(1);
  const newest = await backUp(2);
  const orphan = segmentKey('lane-1', 'e'.repeat(64), '0'.repeat(16));
  await open.put(orphan, Buffer.from('left by a backup that died'));
  place = locking;

  // this account may go round a lock where it asks to, and not otherwise
  const { versionId: VersionId } = await locking.put('other/one', Buffer.from('x'));
  const remove = { Bucket, Key: 'other/one', VersionId };
  await expect(bed.client().send(new DeleteObjectCommand(remove))).rejects.toMatchObject({ name: 'AccessDenied' });
  await bed.client().send(new DeleteObjectCommand({ ...remove, BypassGovernanceRetention: true }));
  expect(await listed(open, 'other/')).toEqual([]);

  await world.expire();
  const first = await world.removeExpired();
  expect(first).toMatchObject({ removedBundles: [free], lockedObjects: 1 });
  expect(first.removedObjects).toBeGreaterThan(1);
  const until = Date.parse(first.lockedUntil ?? '');
  expect(until).toBeGreaterThan(Date.now());
  expect(until).toBeLessThan(Date.now() + 13_000);
  expect(await versions(ofLocked)).toEqual(before);
  const left = (await listed(open, 'lane-1/')).map(({ key }) => key);
  expect(left).not.toContain(orphan);
  // neither tombstones nor clocks are locked, though all is put with a retention
  expect(left.filter((key) => key.includes('/clock/'))).toEqual([]);

  await new Promise((resolve) => setTimeout(resolve, until - Date.now() + 1_500));
  const second = await world.removeExpired();
  expect(second).toMatchObject({ removedBundles: [locked], lockedObjects: 0, lockedUntil: null });
  expect(await versions(ofLocked)).toEqual([]);
  expect((await listed(open, 'lane-1/manifests/')).map(({ key }) => key)).toEqual([`lane-1/manifests/${newest}.json`]);
  expect(await versions([tombstoneKey('lane-1', locked), tombstoneKey('lane-1', free)])).toHaveLength(1);
});
