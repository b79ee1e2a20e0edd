// Ends a stream that has stood still: a half-dead connection or a hung tar would otherwise hold an activity for ever.
// Bytes pass unchanged and with backpressure; a consumer that takes nothing for that long counts as standing still too.

import { Transform, type TransformCallback } from 'node:stream';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';

/**
 * A transform that fails with StreamStalled when no byte has passed for `stallMs`.
 * @param stallMs milliseconds, `limits.streamStallMs` unless told
 */
export function stallWatch(stallMs: number = limits.streamStallMs): Transform {
  const watch = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      timer.refresh();
      done(null, chunk);
    },
    final(done) {
      clearTimeout(timer);
      done();
    },
    destroy(error, done) {
      clearTimeout(timer);
      done(error);
    },
  });
  const timer = setTimeout(() => {
    watch.destroy(new Failure('StreamStalled', `no byte passed for ${stallMs} ms`));
  }, stallMs);
  return watch;
}
