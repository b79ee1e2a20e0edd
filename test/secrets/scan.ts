// Looks through bytes for needles, and into the zstd and gzip streams that lie in them. What is found is told by name
// and form, never by value.

import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Needle } from './needles.ts';

export interface Finding {
  readonly secret: string;
  readonly form: string;
  readonly where: string;
}

const magics: readonly [string, Buffer, () => Transform][] = [
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), () => createZstdDecompress()],
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08]), () => createGunzip()],
];
/** A stream that opens to more than this was not planted by us. */
const openedBytes = 64 << 20;

/** One kind of place: what was scanned there, and what was found. */
export class Scan {
  readonly kind: string;
  readonly found: Finding[] = [];
  bytes = 0;
  sources = 0;
  readonly #needles: readonly Needle[];

  constructor(kind: string, needles: readonly Needle[]) {
    this.kind = kind;
    this.#needles = needles;
  }

  async look(bytes: Buffer, where: string): Promise<void> {
    this.sources += 1;
    this.bytes += bytes.length;
    this.#search(bytes, where, '');
    for (const [form, magic, opener] of magics) {
      for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
        const opened = await openStream(bytes.subarray(at), opener());
        this.bytes += opened.length;
        this.#search(opened, where, `${form} of `);
      }
    }
  }

  /** Every file below a folder; what is gone meanwhile is gone. */
  async lookBelow(folder: string, skip: (path: string) => boolean = () => false): Promise<void> {
    for (const path of filesBelow(folder, skip)) await this.look(readIfThere(path), path);
  }

  #search(bytes: Buffer, where: string, prefix: string): void {
    for (const { secret, form, bytes: needle } of this.#needles) {
      if (bytes.includes(needle)) this.found.push({ secret, form: `${prefix}${form}`, where });
    }
  }
}

/** As much as comes out before the stream ends or breaks. */
function openStream(bytes: Buffer, opener: Transform): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (): void => resolve(Buffer.concat(chunks));
    opener.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > openedBytes) opener.destroy();
    });
    opener.on('end', end).on('error', end).on('close', end);
    opener.end(bytes);
  });
}

export function filesBelow(folder: string, skip: (path: string) => boolean): string[] {
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    if (skip(path)) return [];
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory()) return filesBelow(path, skip);
    return stats?.isFile() ? [path] : [];
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

export function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
