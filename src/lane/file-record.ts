// The records that stat prints for a listing (listing.ts), as file entries. Names are kept as bytes.

import type { Readable } from 'node:stream';
import { Failure } from '../domain/failure.ts';
import type { FileEntry, FileType } from '../domain/file-entry.ts';
import { limits } from '../domain/limits.ts';
import type { Dialect } from './dialect.ts';

export interface RecordFormat {
  /** What each record begins with. */
  readonly separator: string;
  readonly dialect: Pick<Dialect, 'stat'>;
}

/** S_IFMT's values (POSIX leaves them open; Linux and macOS agree). */
const types: Readonly<Record<number, FileType>> = {
  0o010000: 'fifo',
  0o020000: 'device',
  0o040000: 'directory',
  0o060000: 'device',
  0o100000: 'file',
  0o120000: 'symlink',
  0o140000: 'socket',
};

const fieldCount = 11;
/** Separator and eleven numbers of at most 20 digits each, and a path. */
const recordBytes = 34 + fieldCount * 32 + limits.pathBytes;

function unexpected(): Failure {
  return new Failure('HostOutputUnexpected', 'stat printed a record of an unknown form');
}

/** `1700000000.123456789` to nanoseconds; a time before 1970 is negative. */
function nanoseconds(text: string): bigint {
  const parts = /^(-?)(\d+)\.(\d{9})$/.exec(text);
  if (parts === null) throw unexpected();
  const whole = BigInt(`${parts[2]}${parts[3]}`);
  return parts[1] === '-' ? -whole : whole;
}

function wholeNumber(text: string | undefined, radix = 10): number {
  const value = Number.parseInt(text ?? '', radix);
  if (!Number.isSafeInteger(value) || value < 0) throw unexpected();
  return value;
}

/** One record, without its separator: ` f1 … f11 name\n`. */
export function parseRecord(record: Buffer): FileEntry {
  let at = 1;
  const fields: string[] = [];
  while (fields.length < fieldCount) {
    const end = record.indexOf(0x20, at);
    if (end === -1) throw unexpected();
    fields.push(record.toString('latin1', at, end));
    at = end + 1;
  }
  if (record[0] !== 0x20 || record.at(-1) !== 0x0a || at >= record.length - 1) throw unexpected();
  const [mode, uid, gid, size, blocks, blockSize, mtime = '', ctime = '', device = '', inode = '', links] = fields;
  const rawMode = wholeNumber(mode, 16);
  const type = types[rawMode & 0o170000];
  if (type === undefined) throw unexpected();
  const path = record.subarray(at, -1);
  return {
    path: Buffer.from(path.subarray(0, 2).toString('latin1') === './' ? path.subarray(2) : path),
    type,
    mode: rawMode & 0o7777,
    uid: wholeNumber(uid),
    gid: wholeNumber(gid),
    sizeBytes: wholeNumber(size),
    allocatedBytes: wholeNumber(blocks) * wholeNumber(blockSize),
    mtimeNs: nanoseconds(mtime),
    ctimeNs: nanoseconds(ctime),
    device,
    inode,
    links: wholeNumber(links),
  };
}

/** @throws HostOutputUnexpected for anything that is not a row of whole records */
export async function* parseRecords(input: Readable, format: RecordFormat): AsyncGenerator<FileEntry> {
  const separator = Buffer.from(format.separator);
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of input as AsyncIterable<Buffer>) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let start = 0;
    let next = held.indexOf(separator, separator.length);
    while (next !== -1) {
      yield parseWhole(held.subarray(start, next), separator);
      start = next;
      next = held.indexOf(separator, start + separator.length);
    }
    held = held.subarray(start);
    if (held.length > recordBytes) throw unexpected();
  }
  if (held.length > 0) yield parseWhole(held, separator);
}

function parseWhole(record: Buffer, separator: Buffer): FileEntry {
  if (!record.subarray(0, separator.length).equals(separator)) throw unexpected();
  return parseRecord(record.subarray(separator.length));
}
