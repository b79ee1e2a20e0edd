// An S3 store over TLS whose certificate a private authority signed: `caFile` is what makes it believed, and nothing is
// sent to a server whose certificate is not.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Failure } from '../../../src/domain/failure.ts';
import { S3Store } from '../../../src/store/s3.ts';
import { S3Bed } from '../../bed/s3.ts';
import { Authority, type Shown, TlsFront } from '../../bed/tls.ts';
import { listed } from './suite.ts';

const dir = mkdtempSync(join(tmpdir(), 'clawback-tls-'));
const ours = new Authority(dir, 'ours');
const others = new Authority(dir, 'others');
let bed: S3Bed;
let front: TlsFront;

beforeAll(async () => {
  bed = await S3Bed.start();
  await bed.makeBucket('tls', { versions: true });
});
afterEach(() => front.close());
afterAll(async () => {
  await bed?.remove();
  rmSync(dir, { recursive: true, force: true });
});

/** A store whose server shows this certificate; `caPem` is what `caFile` holds. */
async function storeBehind(shown: Shown, caPem: string | undefined): Promise<S3Store> {
  front = await TlsFront.start(bed.server.ports.s3, shown);
  const place = { endpoint: front.endpoint, ...(caPem === undefined ? {} : { caPem }) };
  return new S3Store('primary', bed.describe('tls', place));
}

const refused = 'store primary: cannot write a/b ';

describe('a certificate of a private authority', () => {
  it('is believed where the store names that authority, in every operation', async () => {
    const store = await storeBehind(ours.certify('IP:127.0.0.1'), others.certPem + ours.certPem);
    const large = randomBytes(9 * 1024 * 1024);
    await store.put('a/small', Buffer.from('x'));
    await store.put('a/large', large);
    expect((await buffer(await store.get('a/large'))).equals(large)).toBe(true);
    expect((await listed(store, 'a/')).map(({ key }) => key)).toEqual(['a/large', 'a/small']);
    expect(await store.delete('a/small')).toBe(true);
    expect(await store.sweepUploads('a', 0)).toBe(0);
    expect(front.entrusted).toBeGreaterThan(0);
  });

  it.each<[string, () => Shown, () => string | undefined, string]>([
    [
      'with no authority named',
      () => ours.certify('IP:127.0.0.1'),
      () => undefined,
      'no authority that is believed vouches for its certificate: check stores.primary.caFile',
    ],
    [
      'with another authority named',
      () => ours.certify('IP:127.0.0.1'),
      () => others.certPem,
      'no authority that is believed vouches for its certificate: check stores.primary.caFile',
    ],
    [
      'for another host',
      () => ours.certify('DNS:s3.example.net'),
      () => ours.certPem,
      'its certificate is for another name: check stores.primary.endpoint',
    ],
    [
      'that has ended',
      () => ours.certify('IP:127.0.0.1', -1),
      () => ours.certPem,
      'its certificate is out of its time: renew it, or set the clock right',
    ],
  ])('%s is refused at once, and nothing is sent', async (_, shown, caPem, advice) => {
    const store = await storeBehind(shown(), caPem());
    const refusal = await store.put('a/b', Buffer.from('x')).catch((error: unknown) => error as Failure);
    expect(refusal).toMatchObject({ code: 'StoreRefused' });
    expect('message' in refusal && refusal.message.replace(/\(\w+\); /, '')).toBe(refused + advice);
    await expect(store.get('a/b')).rejects.toMatchObject({ code: 'StoreRefused' });
    await expect(listed(store, '')).rejects.toMatchObject({ code: 'StoreRefused' });
    expect(front.entrusted).toBe(0);
  });

  it('is looked for in vain where the server speaks no TLS, which is told', async () => {
    await storeBehind(ours.certify('IP:127.0.0.1'), undefined);
    const plain = `https://127.0.0.1:${bed.server.ports.s3}`;
    const store = new S3Store('primary', bed.describe('tls', { endpoint: plain, caPem: ours.certPem }));
    await expect(store.put('a/b', Buffer.from('x'))).rejects.toMatchObject({
      code: 'StoreUnreachable',
      message: `${refused}(EPROTO); it does not speak TLS there: check stores.primary.endpoint`,
    });
  });
});
