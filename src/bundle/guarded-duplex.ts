// A core Duplex around a foreign one (the Encryption SDK's, zlib's): its errors are translated into failures where
// they arise, it is destroyed together with what is inside, and backpressure is kept in both directions. A stream
// that closes without an end has failed; nothing it does after that can surface as an unhandled error.

import { Duplex } from 'node:stream';
import { Failure } from '../domain/failure.ts';

/** What is used of the stream inside: readable-stream 3 and core streams both have it. */
export interface InnerDuplex extends NodeJS.ReadWriteStream {
  destroy(error?: Error): unknown;
}

export interface GuardRules {
  /** Turns the inner stream's error into ours. */
  translate(error: Error): Failure;
  /** Looks at each chunk before it is released; what it throws ends the stream. */
  release?(chunk: Buffer): void;
  /** Called when the inner stream has ended, with the bytes it was given; what it throws withholds the end. */
  ended?(bytesIn: number): void;
  /** How the inner stream is given up; `destroy` where nothing is said. */
  abandon?(inner: InnerDuplex): void;
}

/** For errors that only a defect can cause. */
export function asUnexpected(what: string): GuardRules['translate'] {
  return (error) => new Failure('Unexpected', `${what} failed: ${error.message}`, {}, { cause: error });
}

export class GuardedDuplex extends Duplex {
  readonly #inner: InnerDuplex;
  readonly #rules: GuardRules;
  #innerEnded = false;
  #bytesIn = 0;

  constructor(inner: InnerDuplex, rules: GuardRules) {
    super({ allowHalfOpen: true });
    this.#inner = inner;
    this.#rules = rules;
    inner.pause();
    inner.on('data', (chunk: Buffer) => this.#attempt(() => this.#pass(chunk)));
    inner.on('end', () => this.#attempt(() => this.#finish()));
    inner.on('error', (error: Error) => this.#fail(error));
    inner.on('close', () => this.#closed());
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#bytesIn += chunk.length;
    // One write at a time: node:zlib adds an empty zstd frame when its end meets a write still under way.
    this.#inner.write(chunk, (error?: Error | null) => done(error ? this.#rules.translate(error) : null));
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#inner.end();
    done();
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#rules.abandon === undefined) this.#inner.destroy();
    else this.#rules.abandon(this.#inner);
    done(error);
  }

  #pass(chunk: Buffer): void {
    if (this.destroyed) return;
    this.#rules.release?.(chunk);
    if (!this.push(chunk)) this.#inner.pause();
  }

  #finish(): void {
    this.#innerEnded = true;
    this.#rules.ended?.(this.#bytesIn);
    this.push(null);
  }

  #closed(): void {
    if (!this.#innerEnded) this.#fail(new Error('closed before its end'));
  }

  #fail(error: Error): void {
    if (!this.destroyed) this.destroy(this.#rules.translate(error));
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.destroy(error as Error);
    }
  }
}
