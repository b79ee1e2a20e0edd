// The index of a segment: what lies in it, by name. It is compressed and sealed like the segment, for names and plain
// digests tell what is inside; they are nowhere else. JSON lines: a header, the members in archive order, the
// omissions. The header counts the lines, so that a cut index is refused even where nothing else would notice.

import { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import type { FileEntry } from '../domain/file-entry.ts';
import { limits } from '../domain/limits.ts';
import { components } from '../domain/terms.ts';
import { segmentBases } from './classify.ts';
import { segmentKinds } from './fingerprint.ts';
import { type Omission, omissionReasons } from './omission.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
const name = { path: z.string().optional(), pathBase64: z.base64().optional() };

const entrySchema = z.strictObject({
  ...name,
  type: z.enum(['file', 'directory', 'symlink', 'link']),
  mode: count.max(0o7777),
  sizeBytes: count,
  mtime: z.string().regex(/^-?\d{1,20}$/),
  link: z.string().optional(),
  linkBase64: z.base64().optional(),
  sha256: sha256.optional(),
  sparse: z.literal(true).optional(),
});

const headerSchema = z.strictObject({
  format: z.literal(1),
  segment: z.string(),
  component: z.enum(components),
  kind: z.enum(segmentKinds),
  base: z.enum(segmentBases),
  range: z.strictObject({ offset: count, length: count }).optional(),
  members: count.max(limits.membersPerSegment),
  omissions: count,
});

const omissionSchema = z.strictObject({ ...name, omitted: z.enum(omissionReasons) });

/**
 * One member. `path` is UTF-8, or else `pathBase64` has its bytes; likewise `link`, the target of a symlink or the
 * earlier member that a hard link names. `mtime` is nanoseconds since the epoch. `sha256` is of a file's stored
 * bytes: of its map and data when `sparse`, of the range's bytes in a range.
 */
export type IndexEntry = z.infer<typeof entrySchema>;

export interface SegmentIndex extends Omit<z.infer<typeof headerSchema>, 'format' | 'members' | 'omissions'> {
  /** A range has one: its file as a whole, with the digest of the range's bytes. */
  readonly entries: readonly IndexEntry[];
  readonly omissions: readonly Omission[];
}

/** The lines, UTF-8, each ended by a line feed. */
export function encodeIndex({ entries, omissions, ...about }: SegmentIndex): Buffer {
  const header = { format: 1, ...about, members: entries.length, omissions: omissions.length };
  const omitted = omissions.map(({ path, reason }) => ({ ...encodeName(path), omitted: reason }));
  return Buffer.from([header, ...entries, ...omitted].map((line) => `${JSON.stringify(line)}\n`).join(''), 'utf8');
}

/** BundleFormatUnknown; BundleDamaged naming line and field. */
export function decodeIndex(bytes: Buffer): SegmentIndex {
  if (bytes.length > limits.indexBytes)
    throw damaged(`has ${bytes.length} bytes, at most ${limits.indexBytes} are allowed`);
  const lines = bytes.toString('utf8').split('\n');
  if (lines.pop() !== '') throw damaged('does not end with its last line');
  const { format: _, members, omissions, ...about } = decodeHeader(lines[0] ?? '');
  if (lines.length !== 1 + members + omissions)
    throw damaged(`has ${lines.length} lines, its header counts ${1 + members + omissions}`);
  return {
    ...about,
    entries: lines.slice(1, 1 + members).map((line, at) => requireName(decodeLine(entrySchema, line, at + 2), at + 2)),
    omissions: lines.slice(1 + members).map((line, at) => decodeOmission(line, at + 2 + members)),
  };
}

/** The bytes of an entry's name. */
export function pathOf(entry: Pick<IndexEntry, 'path' | 'pathBase64'>): Buffer {
  return decodeName(entry.path, entry.pathBase64) ?? Buffer.alloc(0);
}

/** The bytes of a link's target; undefined for what is no link. */
export function linkOf(entry: Pick<IndexEntry, 'link' | 'linkBase64'>): Buffer | undefined {
  return decodeName(entry.link, entry.linkBase64);
}

/** A name as UTF-8 where it is that, else in base64. */
export function encodeName(bytes: Buffer): { path: string } | { pathBase64: string } {
  const text = utf8(bytes);
  return text === undefined ? { pathBase64: bytes.toString('base64') } : { path: text };
}

export function encodeLink(bytes: Buffer): { link: string } | { linkBase64: string } {
  const text = utf8(bytes);
  return text === undefined ? { linkBase64: bytes.toString('base64') } : { link: text };
}

/** The entry of a range's index: the whole file, and the digest of the range's bytes. */
export function rangeEntry({ path, mode, sizeBytes, mtimeNs }: FileEntry, rangeSha256: string): IndexEntry {
  return { ...encodeName(path), type: 'file', mode, sizeBytes, mtime: String(mtimeNs), sha256: rangeSha256 };
}

function utf8(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}

function decodeName(text: string | undefined, base64: string | undefined): Buffer | undefined {
  if (text !== undefined) return Buffer.from(text, 'utf8');
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64');
}

function decodeHeader(line: string): z.infer<typeof headerSchema> {
  const raw = parseLine(line, 1);
  const format = typeof raw === 'object' && raw !== null && 'format' in raw ? raw.format : undefined;
  if (typeof format === 'number' && format !== 1)
    throw new Failure('BundleFormatUnknown', `an index has format ${format}, this build reads 1`);
  return decodeLine(headerSchema, line, 1);
}

function decodeOmission(line: string, number: number): Omission {
  const { omitted, ...rest } = requireName(decodeLine(omissionSchema, line, number), number);
  return { path: pathOf(rest), reason: omitted };
}

function decodeLine<Line>(schema: z.ZodType<Line>, line: string, number: number): Line {
  const parsed = schema.safeParse(parseLine(line, number));
  if (parsed.success) return parsed.data;
  throw damaged(`is wrong in line ${number} at ${parsed.error.issues[0]?.path.join('.') || 'its root'}`);
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw damaged(`is no JSON in line ${number}`); // no cause: V8 quotes the text, which holds names
  }
}

/** Exactly one of the two forms, and not empty. */
function requireName<Line extends Pick<IndexEntry, 'path' | 'pathBase64'>>(line: Line, number: number): Line {
  if ((line.path === undefined) !== (line.pathBase64 === undefined) && pathOf(line).length > 0) return line;
  throw damaged(`is wrong in line ${number} at path`);
}

function damaged(what: string): Failure {
  return new Failure('BundleDamaged', `an index ${what}`);
}
