// The two ways of a segment's bytes: plain → zstd → sealed, and back. Backpressure is kept from end to end, sizes and
// digests are taken in passing. Coming back, the end is withheld until the sealed size and digest are what the
// manifest says, so that whoever saw an orderly end has seen the right bytes.

import { type Readable, Transform, type TransformCallback, pipeline } from 'node:stream';
import { Failure } from '../domain/failure.ts';
import { compress, decompress } from './compress.ts';
import { CountAndHash, countAndHash } from './digest.ts';
import { open, type OpeningKey, type Recipient, seal, type SealContext } from './seal.ts';

export interface SealTotals {
  readonly plainBytes: number;
  readonly sealedBytes: number;
  /** Lower-case hex. */
  readonly sealedSha256: string;
}

export interface SealPipeline {
  readonly sealed: Readable;
  /** Known when `sealed` has ended; rejects with what broke the pipeline. Need not be awaited. */
  readonly totals: Promise<SealTotals>;
}

/**
 * Compresses and seals a source.
 * @returns sealed bytes, and their totals; an error of the source comes out of both unchanged. Destroying `sealed`
 *   destroys the source.
 */
export function sealPipeline(source: Readable, recipients: readonly Recipient[], context: SealContext): SealPipeline {
  const sealing = seal(recipients, context);
  const plain = new Count();
  const sealed = countAndHash();
  const { promise, resolve, reject } = Promise.withResolvers<SealTotals>();
  promise.catch(() => undefined); // whoever only reads `sealed` sees the error there
  sealed.once('end', () =>
    resolve({ plainBytes: plain.sizeBytes, sealedBytes: sealed.sizeBytes, sealedSha256: sealed.sha256 }),
  );
  pipeline(source, plain, compress(), sealing, sealed, (error) => {
    if (error) reject(error);
  });
  return { sealed, totals: promise };
}

export interface SealedExpectation {
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * Opens and decompresses a sealed object.
 * @param maxPlainBytes the most that may come out
 * @returns plain bytes; fails with BundleDamaged when sealed size or digest differ, BundleForeign and BundleKeyWrong
 *   as `open` says, and with the source's own error unchanged. Destroying it destroys the source.
 */
// oxlint-disable-next-line max-params -- the five things that opening needs, each from another place
export function openPipeline(
  sealed: Readable,
  expectation: SealedExpectation,
  key: OpeningKey,
  context: SealContext,
  maxPlainBytes: number,
): Readable {
  const opening = open(key, context);
  const plain = decompress({ maxBytes: maxPlainBytes });
  pipeline(sealed, new ExpectedBytes(expectation), opening, plain, () => undefined); // the error comes out of `plain`
  return plain;
}

/** A stream that passes a sealed object on as it is; fails with BundleDamaged when size or digest differ. */
export function expectedBytes(expectation: SealedExpectation): Transform {
  return new ExpectedBytes(expectation);
}

/** Passes bytes on while they can still be the expected ones. */
class ExpectedBytes extends CountAndHash {
  readonly #expected: SealedExpectation;

  constructor(expected: SealedExpectation) {
    super();
    this.#expected = expected;
  }

  override _transform(chunk: Buffer, encoding: BufferEncoding, done: TransformCallback): void {
    if (this.sizeBytes + chunk.length > this.#expected.sizeBytes) done(this.#wrongSize('more than'));
    else super._transform(chunk, encoding, done);
  }

  override _flush(done: TransformCallback): void {
    super._flush((error) => done(error ?? this.#difference()));
  }

  #difference(): Failure | null {
    if (this.sizeBytes !== this.#expected.sizeBytes) return this.#wrongSize(`${this.sizeBytes} of`);
    if (this.sha256 === this.#expected.sha256) return null;
    return new Failure(
      'BundleDamaged',
      `a sealed object of ${this.sizeBytes} bytes has digest ${this.sha256}, expected is ${this.#expected.sha256}`,
    );
  }

  #wrongSize(found: string): Failure {
    const { sizeBytes } = this.#expected;
    return new Failure('BundleDamaged', `a sealed object has ${found} the expected ${sizeBytes} bytes`, {
      expectedBytes: sizeBytes,
    });
  }
}

/** Counts only: hashing costs 6 CPU seconds a GB (perf-notes). */
class Count extends Transform {
  sizeBytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.sizeBytes += chunk.length;
    done(null, chunk);
  }
}
