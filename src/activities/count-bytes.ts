import { Transform } from 'node:stream';
import type { Run } from './step.ts';

/** Passes bytes on and counts them for the heartbeat. */
export function countingBytes(run: Pick<Run, 'countBytes'>): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      run.countBytes(chunk.length);
      done(null, chunk);
    },
  });
}
