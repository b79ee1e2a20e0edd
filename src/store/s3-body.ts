// The bytes of an object on their way out of S3: what is cut short, or is not as long as was said, fails and never ends.

import { addAbortSignal, type Readable, Transform, type TransformCallback } from 'node:stream';
import { Failure } from '../domain/failure.ts';
import { type S3Context, s3Failure } from './s3-failure.ts';

/** @param sizeBytes what the answer's head says; undefined when it says nothing */
export function checkedBody(
  body: Readable,
  sizeBytes: number | undefined,
  context: S3Context & { readonly signal: AbortSignal | undefined },
): Readable {
  const { store, key = '', signal } = context;
  let seenBytes = 0;
  const cut = (): Failure =>
    new Failure('StoreUnreachable', `store ${store}: ${key} ended after ${seenBytes} of ${sizeBytes} bytes`, {
      store,
      key,
      actualBytes: seenBytes,
      ...(sizeBytes === undefined ? {} : { expectedBytes: sizeBytes }),
    });
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      seenBytes += chunk.length;
      done(null, chunk);
    },
    flush(done: TransformCallback) {
      done(sizeBytes === undefined || sizeBytes === seenBytes ? null : cut());
    },
  });
  body.on('error', (error: unknown) => checked.destroy(s3Failure(error, context)));
  body.once('close', () => {
    if (!body.readableEnded) checked.destroy(cut());
  });
  checked.once('close', () => body.destroy());
  body.pipe(checked);
  return signal === undefined ? checked : addAbortSignal(signal, checked);
}
