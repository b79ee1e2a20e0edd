import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { stallWatch } from '../../../src/lane/stall-watch.ts';

describe('stallWatch', () => {
  it('passes every byte unchanged', async () => {
    const chunks = [Buffer.from('a'), Buffer.alloc(300_000, 7), Buffer.from('z')];
    expect(await buffer(Readable.from(chunks).pipe(stallWatch(1000)))).toEqual(Buffer.concat(chunks));
  });

  it('ends a stream that gives no byte for the time', async () => {
    const source = new PassThrough();
    source.write('a');
    await expect(pipeline(source, stallWatch(80), new PassThrough().resume())).rejects.toMatchObject({
      code: 'StreamStalled',
    });
    expect(source.destroyed).toBe(true);
  });

  it('lets a slow stream go on that gives a byte in time', async () => {
    const slow = Readable.from(
      (async function* () {
        for (let byte = 0; byte < 6; byte += 1) {
          await new Promise((resolve) => setTimeout(resolve, 40));
          yield Buffer.from([byte]);
        }
      })(),
    );
    expect(await buffer(slow.pipe(stallWatch(150)))).toHaveLength(6);
  });
});
