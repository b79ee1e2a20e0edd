// A range segment as its index describes it: which file, where in it, and the digest of its bytes.

import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { pathOf, type SegmentIndex } from '../../bundle/index-file.ts';
import { Failure } from '../../domain/failure.ts';

export interface RangeFile {
  readonly path: Buffer;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly mtimeNs: bigint;
  /** Passes the range's bytes on, and fails with BundleDamaged at their end when they are not the indexed ones. */
  check(): Transform;
}

export function rangeFile({ segment, range, entries }: SegmentIndex): RangeFile {
  const [entry] = entries;
  if (!entry || !range || entries.length !== 1)
    throw new Failure('BundleDamaged', `the index of segment ${segment} does not describe one range`, { segment });
  const { sizeBytes, mode, mtime, sha256 = '' } = entry;
  return {
    path: pathOf(entry),
    offset: range.offset,
    sizeBytes,
    mode,
    mtimeNs: BigInt(mtime),
    check: () => checkRange(segment, range.length, sha256),
  };
}

function checkRange(segment: string, length: number, sha256: string): Transform {
  const hash = createHash('sha256');
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const right = seen === length && hash.digest('hex') === sha256;
      done(
        right
          ? null
          : new Failure(
              'BundleDamaged',
              `the range of segment ${segment} has ${seen} bytes of ${length}, or others than were written`,
              { segment, actualBytes: seen, expectedBytes: length },
            ),
      );
    },
  });
}
