// Unpacks a bundle into a fresh directory of this machine: home/, plists/, logs/, as a lane's staging tree has it.
// Every byte is checked on its way; what is hostile or damaged ends it, and what was unpacked until then stays to be
// looked at. Secrets stay sealed unless they are asked for.

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { join } from 'node:path';
import { type IndexEntry, pathOf, type SegmentIndex } from '../bundle/index-file.ts';
import type { ManifestSegment } from '../bundle/manifest.ts';
import { requireOneTree, unpackOrder } from '../bundle/restore-plan.ts';
import { decodeSecrets } from '../bundle/secrets-file.ts';
import { auditTar } from '../bundle/tar-audit.ts';
import { Failure } from '../domain/failure.ts';
import { type Component, components } from '../domain/terms.ts';
import { findTar, type TarKind, unpackTar } from './local-tar.ts';
import type { OpenedBundle } from './opened-bundle.ts';

export interface UnpackOptions {
  /** Absolute; empty. */
  readonly directory: string;
  readonly only?: Component;
  readonly withSecrets: boolean;
  readonly onSegment: (done: number, total: number) => void;
  readonly onComplaint: (text: string) => void;
}

export interface Unpacked {
  readonly segments: number;
  readonly members: number;
  readonly plainBytes: number;
  /** Keychain items that were written. */
  readonly secrets: number;
  readonly components: readonly Component[];
}

/** Where a component is unpacked; as in the staging tree of a restore (activities/lane-paths.ts). */
export function placeOf(component: Component): 'home' | 'plists' | 'logs' {
  return component === 'plists' || component === 'logs' ? component : 'home';
}

type Indexed = ManifestSegment & { readonly contents: SegmentIndex };

/** @throws Failure ObjectMissing, BundleDamaged, BundleKeyWrong, ArchiveHostile, TarFailed, ToolMissing, NoRestorePoint */
export async function unpackBundle(bundle: OpenedBundle, options: UnpackOptions): Promise<Unpacked> {
  const wanted = bundle.manifest.segments.filter(
    ({ component }) => options.only === undefined || component === options.only,
  );
  if (wanted.length === 0)
    throw new Failure('NoRestorePoint', `bundle ${bundle.manifest.bundle} holds nothing of ${options.only}`, {
      bundle: bundle.manifest.bundle,
    });
  const indexed: Indexed[] = [];
  for (const segment of wanted.filter(({ kind }) => kind !== 'secrets'))
    indexed.push({ ...segment, contents: await bundle.index(segment) });
  requireTrees(indexed);
  const { data, supplements, directories } = unpackOrder(indexed);
  const tar = await findTar();
  const content = [...data, ...supplements];
  const ordered = [...content, ...directories];
  for (const [at, segment] of ordered.entries()) {
    options.onSegment(at, ordered.length);
    // before directories are given modes that would forbid it
    if (at === content.length) await finishRanges(content, options.directory);
    await unpackSegment(bundle, segment, tar, options);
  }
  if (directories.length === 0) await finishRanges(content, options.directory);
  const secrets = options.withSecrets ? await writeSecrets(bundle, wanted, options.directory) : 0;
  return {
    segments: ordered.length,
    members: ordered.reduce((sum, { members }) => sum + members, 0),
    plainBytes: ordered.reduce((sum, { plainBytes }) => sum + plainBytes, 0),
    secrets,
    components: components.filter(
      (component) =>
        ordered.some((segment) => segment.component === component) || (component === 'secrets' && secrets > 0),
    ),
  };
}

/** No segment leads through a link that another one brings. */
function requireTrees(segments: readonly Indexed[]): void {
  for (const place of ['home', 'plists', 'logs'] as const) {
    requireOneTree(
      segments
        .filter(({ component, supplement }) => placeOf(component) === place && !supplement)
        .map(({ contents }) => contents.entries),
    );
  }
}

async function unpackSegment(
  bundle: OpenedBundle,
  segment: Indexed,
  tar: TarKind,
  { directory, onComplaint }: UnpackOptions,
): Promise<void> {
  const base = join(directory, placeOf(segment.component));
  await mkdir(base, { recursive: true, mode: 0o700 });
  if (segment.kind === 'range') return writeRange(bundle, segment, base);
  const audit = auditTar({ expect: 'index', entries: segment.contents.entries });
  await unpackTar([await bundle.plain(segment), audit.stream], { tar, directory: base, onComplaint });
  audit.result();
}

function rangeEntryOf({ id, contents }: Indexed): IndexEntry {
  const [entry] = contents.entries;
  if (entry && contents.entries.length === 1) return entry;
  throw new Failure('BundleDamaged', `range ${id} has ${contents.entries.length} files in its index`, { segment: id });
}

async function writeRange(bundle: OpenedBundle, segment: Indexed, base: string): Promise<void> {
  const entry = rangeEntryOf(segment);
  const path = fileBelow(base, entry);
  await mkdir(path.subarray(0, path.lastIndexOf(0x2f)), { recursive: true, mode: 0o700 });
  await using file = await openInPlace(path);
  const hash = createHash('sha256');
  let at = segment.range?.offset ?? 0;
  await pipeline(await bundle.plain(segment), async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      hash.update(chunk);
      await file.write(chunk, 0, chunk.length, at);
      at += chunk.length;
    }
  });
  if (hash.digest('hex') === entry.sha256) return;
  throw new Failure('BundleDamaged', `range ${segment.id} has another digest than its index says`, {
    segment: segment.id,
  });
}

function fileBelow(base: string, entry: IndexEntry): Buffer {
  return Buffer.concat([Buffer.from(`${base}/`), pathOf(entry)]);
}

function openInPlace(path: Buffer): Promise<FileHandle> {
  return open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
}

/** Size, mode and time of files that came in ranges, once all of them are there; the newest look at a file counts. */
async function finishRanges(segments: readonly Indexed[], directory: string): Promise<void> {
  const last = new Map<string, { readonly path: Buffer; readonly entry: IndexEntry; readonly kind: string }>();
  for (const segment of segments) {
    const base = join(directory, placeOf(segment.component));
    for (const entry of segment.contents.entries) {
      const path = fileBelow(base, entry);
      const name = path.toString('latin1');
      if (segment.kind === 'range' || last.has(name)) last.set(name, { path, entry, kind: segment.kind });
    }
  }
  for (const { path, entry, kind } of last.values()) if (kind === 'range') await finishFile(path, entry);
}

async function finishFile(path: Buffer, { sizeBytes, mode, mtime }: IndexEntry): Promise<void> {
  await using file = await openInPlace(path);
  await file.truncate(sizeBytes);
  await file.chmod(mode);
  // seconds as a double: exact to 0.3 µs
  const seconds = Number(mtime) / 1e9;
  await file.utimes(seconds, seconds);
}

/** secrets.json, readable by its owner only: `service`, `account`, `valueBase64`. */
async function writeSecrets(
  bundle: OpenedBundle,
  segments: readonly ManifestSegment[],
  directory: string,
): Promise<number> {
  const segment = segments.find(({ kind }) => kind === 'secrets');
  if (!segment) return 0;
  const chunks: Buffer[] = [];
  for await (const chunk of (await bundle.plain(segment)) as AsyncIterable<Buffer>) chunks.push(chunk);
  const items = decodeSecrets(Buffer.concat(chunks));
  const shown = items.map(({ service, account, value }) => ({
    service,
    account,
    valueBase64: value.toString('base64'),
  }));
  await writeFile(join(directory, 'secrets.json'), `${JSON.stringify({ items: shown }, null, 2)}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
  return items.length;
}
