// The bytes of an object on their way out of S3: what is cut short, stalls, or is not as long as was said, fails and never
// ends. A reader that takes its time is no stall.

import { addAbortSignal, type Readable, Transform, type TransformCallback } from 'node:stream';
import { Failure } from '../domain/failure.ts';
import { type S3Context, s3Failure } from './s3-failure.ts';

/** @param sizeBytes what the answer's head says; undefined when it says nothing */
export function checkedBody(
  body: Readable,
  sizeBytes: number | undefined,
  context: S3Context & { readonly signal: AbortSignal | undefined; readonly stallMs: number },
): Readable {
  const { store, key = '', signal, stallMs } = context;
  let seenBytes = 0;
  let heardAtMs = performance.now();
  const cut = (): Failure =>
    new Failure(
      'StoreUnreachable',
      `store ${store}: ${key} ended or stalled after ${seenBytes} of ${sizeBytes} bytes`,
      {
        store,
        key,
        actualBytes: seenBytes,
        ...(sizeBytes === undefined ? {} : { expectedBytes: sizeBytes }),
      },
    );
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      seenBytes += chunk.length;
      heardAtMs = performance.now();
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
  const watch = setInterval(() => {
    if (checked.writableNeedDrain) heardAtMs = performance.now();
    else if (performance.now() - heardAtMs > stallMs) checked.destroy(cut());
  }, stallMs / 4);
  checked.once('close', () => {
    clearInterval(watch);
    body.destroy();
  });
  body.pipe(checked);
  return signal === undefined ? checked : addAbortSignal(signal, checked);
}
