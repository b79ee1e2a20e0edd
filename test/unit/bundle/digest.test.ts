import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countAndHash, sha256Hex } from '../../../src/bundle/digest.ts';
import { through } from './streams.ts';

describe('counting and hashing in passing', () => {
  it('changes no byte and knows number and SHA-256 at the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 1, max: 700 }), async (bytes, size) => {
        const stream = countAndHash();
        expect(await through(Buffer.from(bytes), stream, size)).toEqual(Buffer.from(bytes));
        expect(stream.sizeBytes).toBe(bytes.length);
        expect(stream.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
        expect(sha256Hex(Buffer.from(bytes))).toBe(stream.sha256);
      }),
      { numRuns: 50 },
    );
  });

  it('gives no digest before the end', () => {
    const stream = countAndHash();
    stream.write('half');
    expect(() => stream.sha256).toThrow('before its stream had ended');
  });
});
