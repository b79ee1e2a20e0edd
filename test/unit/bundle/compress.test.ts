import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compress, decompress } from '../../../src/bundle/compress.ts';
import { flipped, through } from './streams.ts';

describe('compression', () => {
  it('gives back what went in, whatever the pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.integer({ min: 1, max: 6000 }), async (bytes, size) => {
        const plain = Buffer.from(bytes);
        const packed = await through(plain, compress(), size);
        expect(await through(packed, decompress({ maxBytes: plain.length }), size)).toEqual(plain);
      }),
      { numRuns: 40 },
    );
  });

  it('refuses a stream cut at any byte', async () => {
    const packed = await through(Buffer.from('all work and no play '.repeat(500)), compress());
    for (let cut = 0; cut < packed.length; cut++) {
      await expect(through(packed.subarray(0, cut), decompress({ maxBytes: 1e6 }))).rejects.toMatchObject({
        code: 'BundleDamaged',
      });
    }
  });

  it('refuses a changed byte, since each frame carries a checksum', async () => {
    const packed = await through(randomBytes(3000), compress());
    for (let at = 0; at < packed.length; at += 97) {
      await expect(through(flipped(packed, at), decompress({ maxBytes: 1e6 }))).rejects.toMatchObject({
        code: 'BundleDamaged',
      });
    }
  });

  it('refuses one byte more than the manifest says', async () => {
    const packed = await through(Buffer.alloc(10_000_000), compress());
    expect(packed.length).toBeLessThan(2000);
    await expect(through(packed, decompress({ maxBytes: 9_999_999 }))).rejects.toMatchObject({
      code: 'BundleDamaged',
      message: expect.stringContaining('9999999'),
    });
  });

  it('refuses bytes behind the end, in the same piece or in the next', async () => {
    const packed = await through(Buffer.from('plain'), compress());
    for (const tail of [Buffer.alloc(20), Buffer.from('garbage')]) {
      for (const size of [packed.length, 4096]) {
        await expect(through(Buffer.concat([packed, tail]), decompress({ maxBytes: 1e6 }), size)).rejects.toMatchObject(
          { code: 'BundleDamaged' },
        );
      }
    }
  });

  it('refuses a frame whose window wants more memory than ours', async () => {
    const { constants } = await import('node:zlib');
    const wide = zstdCompressSync(randomBytes(20_000_000), {
      params: { [constants.ZSTD_c_windowLog]: 25, [constants.ZSTD_c_contentSizeFlag]: 0 },
    });
    await expect(through(wide, decompress({ maxBytes: 1e9 }))).rejects.toMatchObject({ code: 'BundleDamaged' });
  });
});
