// Looks into a tar while it passes: each header is checked against what was asked for, each file's content is hashed,
// and the bytes go on unchanged, one piece at a time. Refuses what our tars never write (devices, links that lead
// out, global headers, members behind the end) and an archive without its end mark: a cut is never a short archive.

import { createHash } from 'node:crypto';
import { type Duplex, Transform, type TransformCallback } from 'node:stream';
import { extract, type ExtractEvents, type Header } from 'tar-stream';
import { Failure, isFailure } from '../domain/failure.ts';
import type { FileEntry } from '../domain/file-entry.ts';
import { limits } from '../domain/limits.ts';
import { byteString } from './globs.ts';
import { encodeLink, encodeName, type IndexEntry } from './index-file.ts';
import { type Expectation, expectAnything, expectIndex, expectList } from './tar-expect.ts';
import { blockBytes, hostile, isZero, type RawHeader, readRawHeader, roundUp } from './tar-header.ts';
import { type MemberType, memberTypes, TreeRules } from './tree-rules.ts';

export type AuditOptions =
  | { readonly expect: 'list'; readonly members: readonly FileEntry[] }
  | { readonly expect: 'index'; readonly entries: readonly IndexEntry[] }
  | { readonly expect: 'anything'; readonly most: number };

export interface AuditResult {
  /** Members in archive order. */
  readonly entries: IndexEntry[];
  /** Names that were asked for and did not come (list only): they vanished since the listing. */
  readonly missing: Buffer[];
}

export interface TarAudit {
  /** Tar in, the same tar out; fails with ArchiveHostile or BundleDamaged. */
  readonly stream: Duplex;
  /** After the stream's end (`Unexpected` before). */
  result(): AuditResult;
}

/** Audits one archive; not to be used again. */
export function auditTar(options: AuditOptions): TarAudit {
  const stream = new AuditStream(expectationOf(options));
  return { stream, result: () => stream.result() };
}

function expectationOf(options: AuditOptions): Expectation {
  if (options.expect === 'anything') return expectAnything(options.most);
  return options.expect === 'list' ? expectList(options.members) : expectIndex(options.entries);
}

class AuditStream extends Transform {
  readonly #expectation: Expectation;
  // One byte of room: each write waits until tar-stream has taken all of it, so that memory does not grow.
  readonly #extract = extract({ highWaterMark: 1 });
  readonly #tree = new TreeRules();
  readonly #entries: IndexEntry[] = [];
  #result: AuditResult | undefined;
  #failure: Failure | undefined;
  /** Ends with the content of the newest member. */
  #content: Promise<void> = Promise.resolve();
  /** Bytes that belong to no member yet: header blocks, or the end mark; and where in the archive they begin. */
  #open: Buffer = Buffer.alloc(0);
  #openAt = 0;
  /** Where the newest member ends, its padding included. */
  #claimedTo = 0;
  /** Zero bytes since the last member; undefined before the end mark. */
  #endBytes: number | undefined;

  constructor(expectation: Expectation) {
    super();
    this.#expectation = expectation;
    this.#extract.on('entry', (header, content, next) => this.#meet(header, content, next));
    this.#extract.on('error', (error: Error) => this.#fail(error));
  }

  result(): AuditResult {
    if (this.#result === undefined) throw new Failure('Unexpected', 'an archive was judged before its end');
    return this.#result;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#take(chunk).then(() => done(null, chunk), done);
  }

  override _flush(done: TransformCallback): void {
    this.#finish().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#extract.destroy();
    done(error);
  }

  async #take(chunk: Buffer): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#endBytes === undefined) {
      this.#open = this.#open.length === 0 ? chunk : Buffer.concat([this.#open, chunk]);
      await this.#feed(chunk);
      this.#settle();
    } else this.#takeEnd(chunk);
  }

  /** Resolves when tar-stream wants more; what it emitted meanwhile has been looked at. */
  #feed(chunk: Buffer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const settle = (): void => (this.#failure === undefined ? resolve() : reject(this.#failure));
    this.#extract.once('drain', settle).once('close', settle);
    this.#extract.write(chunk);
    return promise.finally(() => this.#extract.off('drain', settle).off('close', settle));
  }

  /** Forgets what belongs to members, and sees the end mark. */
  #settle(): void {
    const claimed = Math.min(this.#claimedTo - this.#openAt, this.#open.length);
    this.#open = this.#open.subarray(claimed);
    this.#openAt += claimed;
    if (this.#open.length > limits.tarHeaderBytes)
      throw hostile(`${this.#open.length} bytes of headers before a member`);
    if (this.#open.length < blockBytes || !isZero(this.#open.subarray(0, blockBytes))) return;
    this.#endBytes = 0;
    this.#takeEnd(this.#open);
  }

  #takeEnd(chunk: Buffer): void {
    if (!isZero(chunk)) throw hostile('bytes behind its end');
    this.#endBytes = (this.#endBytes ?? 0) + chunk.length;
  }

  /** Two blocks of zeros at least (POSIX, pax, "ustar Interchange Format"), and whole blocks. */
  async #finish(): Promise<void> {
    const end = this.#endBytes ?? 0;
    if (end > 0) await this.#content; // it has had all its bytes
    if (this.#failure !== undefined) throw this.#failure;
    if (end < 2 * blockBytes || end % blockBytes !== 0) {
      throw new Failure('BundleDamaged', `an archive is cut: ${end} bytes follow its member ${this.#entries.length}`, {
        count: this.#entries.length,
      });
    }
    this.#result = { entries: this.#entries, missing: this.#expectation.missing() };
  }

  #meet(...[header, content, next]: ExtractEvents['entry']): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#content = promise;
    const hash = createHash('sha256');
    content.on('error', () => resolve()).on('close', () => resolve()); // the error itself comes from tar-stream
    const attempt = (step: () => void): void => {
      try {
        if (this.#failure === undefined) step();
      } catch (error) {
        this.#fail(error as Error);
      }
    };
    attempt(() => {
      const member = this.#examine(header);
      content.on('data', (chunk) => void hash.update(chunk as Buffer));
      content.on('end', () => {
        attempt(() => this.#conclude(member, hash.digest('hex')));
        resolve();
        next();
      });
    });
  }

  #examine(header: Header): IndexEntry {
    const { byteOffset, size } = header as Header & { readonly byteOffset: number };
    const raw = readRawHeader(this.#open.subarray(this.#claimedTo - this.#openAt, byteOffset - this.#openAt));
    this.#claimedTo = byteOffset + roundUp(size);
    const member = memberOf(header, raw);
    const name = byteString(raw.path);
    const wrong = this.#tree.add({ name, type: member.type, link: byteString(raw.link) });
    if (wrong !== undefined) throw hostile(wrong);
    this.#expectation.meet(member, name);
    return member;
  }

  #conclude(member: IndexEntry, sha256: string): void {
    const entry = member.type === 'file' ? { ...member, sha256 } : member;
    this.#expectation.finish(entry);
    this.#entries.push(entry);
  }

  #fail(error: Error): void {
    this.#failure ??= isFailure(error)
      ? error
      : new Failure('BundleDamaged', `an archive cannot be read: ${error.message}`, {}, { cause: error });
    this.#extract.destroy(this.#failure);
  }
}

/** Our view of a header; both readers of it must agree. */
function memberOf(header: Header, raw: RawHeader): IndexEntry {
  const { size, mode, mtime } = header;
  const type = typeOf(header);
  if (header.name !== raw.storedName.toString('utf8')) throw hostile('a header that two readers read differently');
  if (type !== 'file' && size !== 0) throw hostile(`a ${type} with content`);
  const isLink = type === 'symlink' || type === 'link';
  return {
    ...encodeName(raw.path),
    type,
    mode: mode & 0o7777,
    sizeBytes: raw.sparseBytes ?? size,
    mtime: String(raw.mtimeNs ?? BigInt(mtime.getTime() / 1000) * 1_000_000_000n),
    ...(isLink && encodeLink(raw.link)),
    ...(raw.sparseBytes !== undefined && { sparse: true }),
  };
}

function typeOf({ type, name }: Header): MemberType {
  const known = memberTypes.find((candidate) => candidate === type);
  if (known === undefined) throw hostile(`a member of type ${type}`);
  if (known !== 'directory' && name.endsWith('/')) throw hostile(`a ${known} whose name ends as a directory's`);
  return known;
}
