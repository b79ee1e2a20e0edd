import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gather } from '../../../src/lane/gather.ts';

describe('gather', () => {
  it('passes every byte in its order, in pieces that are large enough but for the last', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.integer({ min: 1, max: 100 }),
        async (chunks, size) => {
          const bytes = chunks.map((chunk) => Buffer.from(chunk));
          const pieces = (await Readable.from(bytes).pipe(gather(size)).toArray()) as Buffer[];
          expect(Buffer.concat(pieces)).toEqual(Buffer.concat(bytes));
          expect(pieces.slice(0, -1).every(({ length }) => length >= size)).toBe(true);
        },
      ),
    );
  });

  it('fails with its source, and gives nothing for what was cut', async () => {
    const cut = new Error('cut');
    const source = Readable.from(
      (async function* () {
        yield Buffer.from('half');
        throw cut;
      })(),
    );
    const pieces = gather();
    await expect(Promise.all([pipeline(source, pieces), buffer(pieces)])).rejects.toBe(cut);
  });
});
