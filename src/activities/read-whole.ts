import type { Readable } from 'node:stream';

/** All bytes of a stream that is known to be small. Its errors are thrown. */
export async function readWhole(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
