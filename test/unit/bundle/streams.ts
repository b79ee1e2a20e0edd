// Small stream helpers of the bundle's tests.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Bytes as a stream of pieces of a fixed size. */
export function pieces(bytes: Buffer, size = 64 * 1024): Readable {
  function* cut(): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  return Readable.from(cut(), { objectMode: false });
}

export async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Bytes through one duplex. */
export async function through(bytes: Buffer, duplex: NodeJS.ReadWriteStream, size?: number): Promise<Buffer> {
  let collected: Buffer = Buffer.alloc(0);
  await pipeline(pieces(bytes, size), duplex, async (stream: unknown) => {
    collected = await collect(stream as AsyncIterable<Buffer>);
  });
  return collected;
}

/** A copy with one bit turned. */
export function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
