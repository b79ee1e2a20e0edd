// The two readings of an old script's archive: one that looks at all of it and writes nothing, and one that hands each
// member's content to the segment it was planned for. Between them nothing is kept but names; that the second reading
// saw the same bytes is told by the archive's digest. Each segment's tar is audited against its index as it is written.

import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, pack } from 'tar-stream';
import { limits } from '../domain/limits.ts';
import { type IndexEntry, linkOf, pathOf } from './index-file.ts';
import type { ArchiveSegment, ArchiveUnit } from './old-archive-cut.ts';
import type { ArchivePlan } from './old-archive-plan.ts';
import { auditTar } from './tar-audit.ts';
import { hostile } from './tar-header.ts';

/**
 * All members of an archive, its end seen.
 * @throws ArchiveHostile, BundleDamaged when it is cut or no tar
 */
export async function listArchive(tar: Readable): Promise<readonly IndexEntry[]> {
  const audit = auditTar({ expect: 'anything', most: limits.archiveMembers });
  audit.stream.resume();
  await pipeline(tar, audit.stream);
  const { entries } = audit.result();
  const odd = entries.find((entry) => entry.pathBase64 !== undefined || entry.linkBase64 !== undefined);
  if (odd) throw hostile('a name that is no UTF-8, which no Mac can have');
  return entries;
}

export interface ArchiveSink {
  /** Takes one segment's tar to its end; called for one after another. */
  (segment: ArchiveSegment, tar: Readable): Promise<void>;
}

/** Second reading: every planned segment goes to the sink, those of directories last. Any failure ends it. */
export async function writeArchive(tar: Readable, plan: ArchivePlan, sink: ArchiveSink): Promise<void> {
  const planned = new Map<number, { segment: ArchiveSegment; unit: ArchiveUnit }>();
  for (const segment of plan.segments)
    for (const unit of segment.units) if (unit.at !== undefined) planned.set(unit.at, { segment, unit });
  const members = extract();
  const flow = pipeline(tar, members);
  flow.catch(() => undefined); // it comes out of the loop below
  let open: OpenSegment | undefined;
  let at = 0;
  try {
    for await (const member of members) {
      const due = planned.get(at++);
      if (due === undefined) {
        member.resume();
        continue;
      }
      if (open?.segment !== due.segment) {
        await open?.close();
        open = new OpenSegment(due.segment, sink);
      }
      await open.write(due.unit, member.header, member as unknown as AsyncIterable<Buffer>);
    }
    await flow;
    await open?.close();
  } catch (error) {
    open?.abandon(error as Error);
    throw error;
  }
  for (const segment of plan.segments.filter(({ kind }) => kind === 'directories')) {
    const folders = new OpenSegment(segment, sink);
    for (const unit of segment.units) await folders.write(unit, {}, noContent());
    await folders.close();
  }
}

async function* noContent(): AsyncGenerator<Buffer> {
  // a directory has none
}

interface PaxHeader {
  readonly size?: number | undefined;
  readonly pax?: unknown;
}

class OpenSegment {
  readonly segment: ArchiveSegment;
  readonly #archive = pack();
  readonly #done: Promise<void>;

  constructor(segment: ArchiveSegment, sink: ArchiveSink) {
    this.segment = segment;
    const audit = auditTar({ expect: 'index', entries: segment.units.flatMap(({ entries }) => entries) });
    const flow = pipeline(this.#archive as unknown as Readable, audit.stream);
    this.#done = Promise.all([sink(segment, audit.stream), flow]).then(() => void audit.result());
    this.#done.catch(() => this.#archive.destroy());
  }

  async write(unit: ArchiveUnit, header: PaxHeader, content: AsyncIterable<Buffer>): Promise<void> {
    const [main, ...links] = unit.entries as [IndexEntry, ...IndexEntry[]];
    await this.#entry(main, header, content);
    for (const link of links) await this.#entry(link, {}, noContent());
  }

  async #entry(entry: IndexEntry, header: PaxHeader, content: AsyncIterable<Buffer>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined);
    const into = this.#archive.entry(headerOf(entry, header), (error) =>
      error ? reject(error) : resolve(),
    ) as unknown as Writable;
    const failed = this.#done.then(() => undefined);
    failed.catch(() => undefined);
    for await (const chunk of content) {
      if (into.write(chunk)) continue;
      await Promise.race([new Promise<void>((drained) => void into.once('drain', drained)), failed]);
    }
    into.end();
    await Promise.race([promise, failed]);
  }

  async close(): Promise<void> {
    this.#archive.finalize();
    await this.#done;
  }

  abandon(error: Error): void {
    this.#archive.destroy(error);
  }
}

/** S_IFREG: tar-stream takes a mode of 0 for none; only the low bits are written. */
const typeBits = 0o100000;

/** Times to the nanosecond and long names are in pax records; a sparse file keeps its map, under its new name. */
function headerOf(entry: IndexEntry, { size = 0, pax }: PaxHeader): Header {
  const path = pathOf(entry).toString('utf8');
  const { name, sparse } = sparseOf(entry, path, pax);
  const seconds = Number(BigInt(entry.mtime) / 1_000_000_000n);
  const link = linkOf(entry)?.toString('utf8');
  return {
    name,
    type: entry.type,
    mode: entry.mode | typeBits,
    size: entry.type === 'file' ? size : 0,
    mtime: new Date(Math.min(Math.max(seconds, 0), 0x7fffffff) * 1000),
    ...(link === undefined ? {} : { linkname: link }),
    pax: { mtime: paxTime(BigInt(entry.mtime)), ...sparse },
  } as Header;
}

function sparseOf(
  entry: IndexEntry,
  path: string,
  pax: PaxHeader['pax'],
): { name: string; sparse: Record<string, string> } {
  if (!entry.sparse) return { name: path, sparse: {} };
  const kept = Object.entries((pax ?? {}) as Record<string, string>).filter(([key]) => key.startsWith('GNU.sparse.'));
  const at = path.lastIndexOf('/') + 1;
  return {
    name: `${path.slice(0, at)}GNUSparseFile.0/${path.slice(at)}`,
    sparse: { ...Object.fromEntries(kept), 'GNU.sparse.name': path },
  };
}

function paxTime(ns: bigint): string {
  const abs = ns < 0n ? -ns : ns;
  return `${ns < 0n ? '-' : ''}${abs / 1_000_000_000n}.${String(abs % 1_000_000_000n).padStart(9, '0')}`;
}
