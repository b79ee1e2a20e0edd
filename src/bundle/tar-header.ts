// The names of a tar member as bytes. tar-stream, which reads the archive, decodes them as UTF-8 and so loses others;
// here the same header blocks are read again for what it cannot give: exact names and link targets, times in
// nanoseconds, sparse files, and that nothing but the member's own long headers lies between two members.

import { Failure } from '../domain/failure.ts';

export const blockBytes = 512;

export interface RawHeader {
  /** The member's name as stored: for a sparse file the stand-in that tar-stream shows. */
  readonly storedName: Buffer;
  /** The name that the file has, no trailing slash. */
  readonly path: Buffer;
  readonly link: Buffer;
  /** From a pax record; otherwise the header's seconds count. */
  readonly mtimeNs?: bigint;
  /** Set for a sparse file (GNU.sparse 1.0): its size with holes. */
  readonly sparseBytes?: number;
}

/**
 * @param blocks the member's long headers and its header block, as they lie in the archive
 * @returns names and what pax records say; ArchiveHostile for what no backup of ours writes
 */
export function readRawHeader(blocks: Buffer): RawHeader {
  const long = readLongHeaders(blocks.subarray(0, -blockBytes));
  const block = blocks.subarray(-blockBytes);
  const storedName = long.pax.get('path') ?? long.name ?? ustarName(block);
  const sparseName = long.pax.get('GNU.sparse.name');
  return {
    storedName,
    path: withoutSlash(sparseName ?? storedName),
    link: long.pax.get('linkpath') ?? long.link ?? untilNul(block.subarray(157, 257)),
    ...timeOf(long.pax.get('mtime')),
    ...sparseOf(long.pax),
  };
}

export function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

export function roundUp(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockBytes) * blockBytes;
}

interface LongHeaders {
  readonly pax: ReadonlyMap<string, Buffer>;
  readonly name?: Buffer;
  readonly link?: Buffer;
}

/** `x` is pax, `L` and `K` are GNU's long name and link. Each may come once. */
function readLongHeaders(blocks: Buffer): LongHeaders {
  const found = new Map<string, Buffer>();
  for (let at = 0; at < blocks.length; ) {
    const header = blocks.subarray(at, at + blockBytes);
    const type = String.fromCharCode(header[156] ?? 0);
    if (isZero(header)) throw hostile('a member behind the end of the archive');
    if (!'xLK'.includes(type) || found.has(type)) throw hostile('a global or repeated long header');
    const size = octal(header.subarray(124, 136));
    found.set(type, blocks.subarray(at + blockBytes, at + blockBytes + size));
    at += blockBytes + roundUp(size);
  }
  const [name, link] = [found.get('L'), found.get('K')];
  return {
    pax: readPax(found.get('x') ?? Buffer.alloc(0)),
    ...(name && { name: untilNul(name) }),
    ...(link && { link: untilNul(link) }),
  };
}

/** Records `<length> <key>=<value>\n`; the length counts all of it. */
function readPax(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const match = /^([1-9]\d{0,6}) ([^=\n]+)=/.exec(bytes.toString('latin1', at, at + maxKeyBytes));
    const [head, length, key] = match ?? [];
    const end = at + Number(length);
    if (head === undefined || key === undefined || end > bytes.length || bytes[end - 1] !== 0x0a || records.has(key)) {
      throw hostile('a malformed or repeated pax record');
    }
    const value = bytes.subarray(at + head.length, end - 1);
    requireKnown(key, value);
    records.set(key, value);
    at = end;
  }
  return records;
}
const maxKeyBytes = 300;

/** Records that tars read differently. */
function requireKnown(key: string, value: Buffer): void {
  if (key === 'SCHILY.realsize') throw hostile('a sparse file of another format');
  if (key === 'size' && !/^\d{1,15}$/.test(value.toString('latin1'))) throw hostile('a malformed size');
}

function sparseOf(pax: ReadonlyMap<string, Buffer>): { sparseBytes?: number } {
  if (![...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) return {};
  const text = (key: string): string => pax.get(`GNU.sparse.${key}`)?.toString('latin1') ?? '';
  const size = text('realsize');
  const known = text('major') === '1' && text('minor') === '0' && text('name') !== '' && /^\d{1,15}$/.test(size);
  if (!known) throw hostile('a sparse file of another format');
  return { sparseBytes: Number(size) };
}

/** Seconds with a fraction, as pax writes them: exact to the nanosecond. */
function timeOf(record: Buffer | undefined): { mtimeNs?: bigint } {
  if (record === undefined) return {};
  const match = /^(-?)(\d{1,15})(?:\.(\d+))?$/.exec(record.toString('latin1'));
  if (match === null) throw hostile('a malformed time');
  const [, sign, seconds = '', fraction = ''] = match;
  const ns = BigInt(seconds + fraction.slice(0, 9).padEnd(9, '0'));
  return { mtimeNs: sign === '-' ? -ns : ns };
}

function ustarName(block: Buffer): Buffer {
  const name = untilNul(block.subarray(0, 100));
  const prefix = untilNul(block.subarray(345, 500));
  const isUstar = block.subarray(257, 263).equals(Buffer.from('ustar\0'));
  return isUstar && prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name;
}

function untilNul(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

function withoutSlash(name: Buffer): Buffer {
  let end = name.length;
  while (end > 1 && name[end - 1] === 0x2f) end--;
  return name.subarray(0, end);
}

function octal(field: Buffer): number {
  const text = field.toString('latin1').replace(/[ \0]+$/, '');
  if (!/^[0-7]+$/.test(text)) throw hostile('a long header without a size');
  return Number.parseInt(text, 8);
}

export function hostile(what: string): Failure {
  return new Failure('ArchiveHostile', `an archive holds ${what}`);
}
