// A tar of a few small files from memory: how many lists reach a lane with one command.

import type { Readable } from 'node:stream';
import { pack } from 'tar-stream';

export interface SmallFile {
  /** Relative, without `..`: our own names. */
  readonly name: string;
  readonly content: Buffer;
}

/** The archive; files are private (0600), in their order. */
export function smallTar(files: readonly SmallFile[]): Readable {
  const archive = pack();
  for (const { name, content } of files) archive.entry({ name, mode: 0o600, size: content.length }, content);
  archive.finalize();
  return archive as unknown as Readable;
}
