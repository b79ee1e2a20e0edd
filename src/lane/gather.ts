// Small chunks made into larger pieces: SSH gives 32 KiB at a time, and every step of a stream costs by the chunk.

import { Transform, type TransformCallback } from 'node:stream';
import { limits } from '../domain/limits.ts';

/**
 * The same bytes in pieces of at least `pieceBytes` (the last one: what is left). What it holds back is passed on at the
 * stream's end only, so not for a source that waits for an answer.
 */
export function gather(pieceBytes: number = limits.pieceBytes): Transform {
  let held: Buffer[] = [];
  let heldBytes = 0;
  const take = (): Buffer => {
    const piece = held.length === 1 && held[0] ? held[0] : Buffer.concat(held, heldBytes);
    held = [];
    heldBytes = 0;
    return piece;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes < pieceBytes) done();
      else done(null, take());
    },
    flush(done: TransformCallback) {
      done(null, heldBytes > 0 ? take() : undefined);
    },
  });
}
