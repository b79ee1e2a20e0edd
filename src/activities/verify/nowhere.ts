// The end of a stream that is read for its digest alone.

import { Writable } from 'node:stream';

export function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
