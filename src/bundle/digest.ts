// Counts and hashes a stream in passing, so that no byte is read twice.
// Bytes go through unchanged; size and digest are there once the stream has ended.

import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { Failure } from '../domain/failure.ts';

/** SHA-256 of bytes at hand, lower-case hex. */
export function sha256Hex(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export class CountAndHash extends Transform {
  #sizeBytes = 0;
  #sha256: string | undefined;
  readonly #hash = createHash('sha256');

  /** Bytes that have gone through so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Lower-case hex; only after the stream's end (`Unexpected` before). */
  get sha256(): string {
    if (this.#sha256 === undefined) throw new Failure('Unexpected', 'a digest was read before its stream had ended');
    return this.#sha256;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#sizeBytes += chunk.length;
    this.#hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    this.#sha256 = this.#hash.digest('hex');
    done();
  }
}

/** A stream that passes bytes on and knows their number and SHA-256 after its end. */
export function countAndHash(): CountAndHash {
  return new CountAndHash();
}
