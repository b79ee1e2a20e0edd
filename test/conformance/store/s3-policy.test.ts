// Who may do what in a bucket with the policy of docs/s3.md, and what versions and locks are worth: the text of the page
// itself is set on a real server.

import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Store } from '../../../src/store/s3.ts';
import { S3Bed } from '../../bed/s3.ts';
import { listed } from './suite.ts';

const Bucket = 'policy';
const day = 86_400_000;
let bed: S3Bed;
let root: S3Client;
let raw: Readonly<Record<'backup' | 'vault' | 'expiry', S3Client>>;
/** As workers open it: on the data queue, on the vault's queues, and there without a credential for expiry. */
let stores: Readonly<Record<'backup' | 'vault' | 'keeper', S3Store>>;
let locking: S3Store;

beforeAll(async () => {
  bed = await S3Bed.start();
  await bed.makeBucket(Bucket, { lock: true });
  const { backup, vault, expiry } = await bed.makeRoles(Bucket);
  root = bed.client();
  raw = { backup: bed.client(backup), vault: bed.client(vault), expiry: bed.client(expiry) };
  const open = (rest: Parameters<S3Bed['describe']>[1]): S3Store => new S3Store('bed', bed.describe(Bucket, rest));
  stores = {
    backup: open({ credential: async () => backup }),
    vault: open({ credential: async () => vault, expiryCredential: async () => expiry }),
    keeper: open({ credential: async () => vault }),
  };
  locking = open({ credential: async () => backup, retentionMs: 30 * day });
});
afterAll(() => bed?.remove());

const refused = { code: 'StoreRefused' };
const denied = { name: 'AccessDenied' };
const large = randomBytes(9 * 1024 * 1024);

describe("with the backup's credential", () => {
  it('objects of any size are put and listed', async () => {
    expect(await stores.backup.put('put/small', Buffer.from('x'))).toHaveProperty('versionId');
    expect(await stores.backup.put('put/large', large)).toHaveProperty('versionId');
    expect((await listed(stores.backup, 'put/')).map(({ key }) => key)).toEqual(['put/large', 'put/small']);
  });

  it('nothing is read, deleted or swept', async () => {
    const { versionId = '' } = await stores.backup.put('keep/one', Buffer.from('x'));
    await expect(stores.backup.get('keep/one')).rejects.toMatchObject(refused);
    await expect(stores.backup.get('keep/one', { versionId })).rejects.toMatchObject(refused);
    await expect(stores.backup.delete('keep/one')).rejects.toMatchObject(refused);
    await expect(stores.backup.sweepUploads('keep', 0)).rejects.toMatchObject(refused);
    const Key = 'keep/one';
    const tries = [
      new GetObjectCommand({ Bucket, Key }),
      new GetObjectCommand({ Bucket, Key, VersionId: versionId }),
      new DeleteObjectCommand({ Bucket, Key }),
      new DeleteObjectCommand({ Bucket, Key, VersionId: versionId }),
      new PutBucketPolicyCommand({ Bucket, Policy: '{}' }),
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } }),
    ];
    for (const command of tries)
      await expect(raw.backup.send(command as GetObjectCommand)).rejects.toMatchObject(denied);
    const bulk = raw.backup.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } }));
    expect(
      await bulk.then(
        ({ Errors }) => Errors?.[0]?.Code,
        (error: Error) => error.name,
      ),
    ).toBe('AccessDenied');
    expect((await buffer(await stores.vault.get(Key))).toString()).toBe('x');
  });

  it('an overwrite makes a version that is neither read nor listed, by any name', async () => {
    const { versionId = '' } = await stores.backup.put('lane/manifests/a', Buffer.from('ours'));
    for (const Body of ['planted', 'planted again, and longer'])
      await raw.backup.send(new PutObjectCommand({ Bucket, Key: 'lane/manifests/a', Body }));
    for (const options of [{}, { versionId }, { versionId: 'of-another-store' }])
      expect((await buffer(await stores.vault.get('lane/manifests/a', options))).toString()).toBe('ours');
    expect(await listed(stores.vault, 'lane/manifests/')).toMatchObject([{ key: 'lane/manifests/a', sizeBytes: 4 }]);
    await expect(stores.backup.put('lane/manifests/a', Buffer.from('x'))).rejects.toMatchObject({
      code: 'ObjectExists',
    });
  });
});

describe("with the vault's credentials", () => {
  it('objects are read, put, and deleted with every version by the one for expiry alone', async () => {
    await stores.vault.put('gone/a', Buffer.from('x'));
    await root.send(new PutObjectCommand({ Bucket, Key: 'gone/a', Body: 'planted' }));
    await root.send(new DeleteObjectCommand({ Bucket, Key: 'gone/a' }));
    expect((await buffer(await stores.vault.get('gone/a'))).toString()).toBe('x');
    await expect(stores.keeper.delete('gone/a')).rejects.toMatchObject(refused);
    expect(await stores.vault.delete('gone/a')).toBe(true);
    const { Versions, DeleteMarkers } = await root.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'gone/' }));
    expect([Versions ?? [], DeleteMarkers ?? []]).toEqual([[], []]);
    expect(await stores.vault.delete('gone/a')).toBe(false);
    expect(await stores.vault.sweepUploads('gone', 0)).toBe(0);
  });

  it('the one for expiry reads and puts nothing', async () => {
    await stores.vault.put('other/a', Buffer.from('x'));
    const Key = 'other/a';
    await expect(raw.expiry.send(new GetObjectCommand({ Bucket, Key }))).rejects.toMatchObject(denied);
    await expect(raw.expiry.send(new PutObjectCommand({ Bucket, Key, Body: 'y' }))).rejects.toMatchObject(denied);
  });
});

describe('a retention', () => {
  it('stands on each object, of one part or many, to the second', async () => {
    for (const [key, body] of [
      ['locked/small', Buffer.from('x')],
      ['locked/large', large],
    ] as const) {
      const { versionId } = await locking.put(key, body);
      const { Retention } = await root.send(new GetObjectRetentionCommand({ Bucket, Key: key, VersionId: versionId }));
      expect(Retention?.Mode).toBe('GOVERNANCE');
      const leftMs = (Retention?.RetainUntilDate?.getTime() ?? 0) - Date.now();
      expect(Math.abs(leftMs - 30 * day)).toBeLessThan(60_000);
    }
  });

  it('refuses the delete by name and time, and cannot be shortened by who set it', async () => {
    const { versionId } = await locking.put('locked/two', Buffer.from('x'));
    const until = new Date(Date.now() + 30 * day).toISOString().slice(0, 10);
    await expect(stores.vault.delete('locked/two')).rejects.toMatchObject({
      code: 'ObjectLocked',
      message: expect.stringMatching(`^store bed: locked/two is locked until ${until}T`),
    });
    const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + 60_000) } as const;
    const shorten = new PutObjectRetentionCommand({ Bucket, Key: 'locked/two', VersionId: versionId, Retention });
    await expect(raw.backup.send(shorten)).rejects.toThrow();
    expect((await buffer(await stores.vault.get('locked/two'))).toString()).toBe('x');
  });

  it('is refused by a bucket without Object Lock', async () => {
    await bed.makeBucket('lockless', { versions: true });
    const store = new S3Store('bed', bed.describe('lockless', { retentionMs: day }));
    // versitygw v1.8.0 says no, and keeps the object all the same: a sweep finds it, for no manifest names it
    await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject(refused);
  });
});

describe('a store that is set up wrongly', () => {
  it.each([
    ['a bucket that is not there', { bucket: 'nowhere-to-be-found' }, 'StoreRefused'],
    [
      'a key id that nobody has',
      { credential: async () => ({ accessKeyId: 'nobody', secretAccessKey: 'x' }) },
      'StoreRefused',
    ],
    [
      'a wrong secret',
      { credential: async () => ({ accessKeyId: 'policy-vault', secretAccessKey: 'wrong' }) },
      'StoreRefused',
    ],
    ['an address where nobody listens', { endpoint: 'http://127.0.0.1:1', attempts: 1 }, 'StoreUnreachable'],
  ])('%s is told as such, in every operation', async (_, rest, code) => {
    const store = new S3Store('bed', bed.describe(Bucket, rest));
    await expect(store.put('a/b', Buffer.from('x'))).rejects.toMatchObject({ code });
    await expect(store.get('a/b')).rejects.toMatchObject({ code });
    await expect(store.delete('a/b')).rejects.toMatchObject({ code });
    await expect(store.sweepUploads('a', 0)).rejects.toMatchObject({ code });
    await expect(listed(store, '')).rejects.toMatchObject({ code });
  });
});
