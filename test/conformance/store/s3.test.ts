import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { S3Store } from '../../../src/store/s3.ts';
import { S3Bed } from '../../bed/s3.ts';
import { storeSuite } from './suite.ts';

let bed: S3Bed;
beforeAll(async () => {
  bed = await S3Bed.start();
  await bed.makeBucket('plain');
  await bed.makeBucket('versioned', { versions: true });
});
afterAll(() => bed?.remove());

for (const bucket of ['plain', 'versioned'])
  storeSuite(`an S3 store in a ${bucket} bucket`, async () => {
    const prefix = `t/${randomUUID()}`;
    return {
      store: new S3Store('bed', bed.describe(bucket, { prefix })),
      opener: { module: new URL('open-s3.ts', import.meta.url), args: [bed.server.endpoint, bucket, prefix] },
      leavesAfterBytes: 20 * 1024 * 1024,
      remove: async () => {},
    };
  });
