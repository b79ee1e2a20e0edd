// One object's bytes, out of and into a file.

import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { addAbortSignal, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { callbackify } from 'node:util';

/** What a read takes at once: 80 reads for a segment's 20 MB, and little memory for each open stream. */
const readBytes = 256 * 1024;

export interface Written {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Distinguishes a file's failure, which is the store's, from the body's, which is the caller's. */
export class FileError extends Error {
  override readonly name = 'FileError';
  override readonly cause: unknown;

  constructor(cause: unknown) {
    super('a file could not be written');
    this.cause = cause;
  }
}

/**
 * Writes a body to an open file, counts and hashes it in the same pass, and brings it to the medium.
 * @throws FileError for the file's errors; the body's own error; the signal's abort
 */
export async function writeBody(
  file: FileHandle,
  body: Readable | Buffer,
  signal: AbortSignal | undefined,
): Promise<Written> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const write = async (chunks: AsyncIterable<Uint8Array | string>): Promise<void> => {
    for await (const chunk of chunks) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      hash.update(bytes);
      await asFileError(writeAll(file, bytes));
      sizeBytes += bytes.length;
    }
  };
  const source = Buffer.isBuffer(body) ? Readable.from([body]) : body;
  await pipeline(source, write, signal === undefined ? {} : { signal });
  await asFileError(file.sync());
  return { sizeBytes, sha256: hash.digest('hex') };
}

/** A write may take less than it was given. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, offset, bytes.length - offset);
    offset += bytesWritten;
  }
}

export async function asFileError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new FileError(error);
  }
}

/** The file from its start to its end; closes it. `translate` turns what the file system says into our failure. */
export function readStream(
  file: FileHandle,
  translate: (error: unknown) => unknown,
  signal: AbortSignal | undefined,
): Readable {
  const stream = new Readable({
    highWaterMark: readBytes,
    read() {
      // allocUnsafeSlow: a buffer of its own, for the reader may keep it longer than the pool lives.
      file.read(Buffer.allocUnsafeSlow(readBytes), 0, readBytes, null).then(
        ({ bytesRead, buffer }) => this.push(bytesRead === 0 ? null : buffer.subarray(0, bytesRead)),
        (error: unknown) => this.destroy(translate(error) as Error),
      );
    },
    destroy(error, done) {
      callbackify(() => file.close())((closeError) => done(error ?? closeError));
    },
  });
  return signal === undefined ? stream : addAbortSignal(signal, stream);
}

/** Brings a folder's entries to the medium: a new name is there after a power cut only then. */
export async function syncDirectory(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}
