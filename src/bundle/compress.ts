// zstd of node:zlib, level 3 with content checksum (perf-notes: 147 MB/s, 1.55:1). Opening refuses what is cut,
// has bytes behind its end, wants a window larger than ours, or grows past what the manifest says.
// Each chunk goes to libuv's pool and back: with large pieces in and out zstd costs a third of what it does with 32 and 16 KiB.

import type { Duplex } from 'node:stream';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { asUnexpected, GuardedDuplex } from './guarded-duplex.ts';

/** A stream of plain bytes in, one zstd frame out. */
export function compress(): Duplex {
  const inner = createZstdCompress({
    chunkSize: limits.pieceBytes,
    params: { [constants.ZSTD_c_compressionLevel]: limits.zstdLevel, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  return new GuardedDuplex(inner, { translate: asUnexpected('compressing') });
}

/**
 * zstd in, plain bytes out.
 * @param options maxBytes: the most that may come out; one byte more and the stream fails
 * @returns a stream that fails with BundleDamaged when its input is cut, changed, followed by other bytes, or a bomb
 */
export function decompress(options: { readonly maxBytes: number }): Duplex {
  const inner = createZstdDecompress({
    chunkSize: limits.pieceBytes,
    params: { [constants.ZSTD_d_windowLogMax]: limits.zstdWindowLog },
  });
  let plainBytes = 0;
  return new GuardedDuplex(inner, {
    translate: (error) =>
      new Failure('BundleDamaged', `compressed bytes cannot be read: ${error.message}`, {}, { cause: error }),
    release: (chunk) => {
      plainBytes += chunk.length;
      if (plainBytes > options.maxBytes) throw tooLarge(options.maxBytes);
    },
    // zlib silently ignores what follows a frame in the same chunk; bytesWritten is what it took.
    ended: (bytesIn) => {
      if (inner.bytesWritten !== bytesIn) throw trailing(bytesIn - inner.bytesWritten);
    },
  });
}

function tooLarge(maxBytes: number): Failure {
  return new Failure('BundleDamaged', `more than the expected ${maxBytes} bytes come out of the compressed stream`, {
    expectedBytes: maxBytes,
  });
}

function trailing(count: number): Failure {
  return new Failure('BundleDamaged', `${count} bytes follow the end of the compressed stream`, { count });
}
