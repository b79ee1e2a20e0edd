// Bundles that nobody backed up: made with the rig's own keys, as by someone who holds them, with archives and indexes
// to order. What no key can make (a foreign signature, a changed object) tests do to the files of the store.

import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';
import { encodeIndex, type IndexEntry } from '../../src/bundle/index-file.ts';
import {
  encodeManifest,
  type Manifest,
  type ManifestSegment,
  openManifest,
  totalsOf,
} from '../../src/bundle/manifest.ts';
import { indexKey, manifestKey, segmentKey, tombstoneKey } from '../../src/bundle/object-keys.ts';
import { sealPipeline } from '../../src/bundle/pipelines.ts';
import type { Recipient, SealContext } from '../../src/bundle/seal.ts';
import { encodeTombstone } from '../../src/bundle/tombstone.ts';
import { DirectoryStore } from '../../src/store/directory.ts';
import { S3Store } from '../../src/store/s3.ts';
import type { Store } from '../../src/store/store.ts';
import type { Rig } from '../rig/rig.ts';
import { rigBucket } from '../rig/rig-store.ts';

const fleet = 'bed';

export function storeOf(rig: Rig): Store {
  if (rig.s3 === undefined) return new DirectoryStore('primary', rig.storePath);
  return new S3Store('primary', rig.s3.describe(rigBucket));
}

function key(rig: Rig, name: string): string {
  return readFileSync(join(rig.dir, 'keys', name), 'utf8');
}

function recipientsOf(rig: Rig): Recipient[] {
  return ['vault', 'recovery'].map((name) => ({ name, publicKeyPem: key(rig, `${name}.public.pem`) }));
}

export function readManifest(rig: Rig, lane: string, bundle: string): Manifest {
  const bytes = readFileSync(join(rig.storePath, manifestKey(lane, bundle)));
  return openManifest(bytes, { publicKeysPem: [key(rig, 'manifest.public.pem')], fleet, lane }).manifest;
}

/** Signs and stores a manifest under a lane; by default with the fleet's key. */
export async function putManifest(
  rig: Rig,
  manifest: Manifest,
  options: { readonly lane?: string; readonly privateKeyPem?: string } = {},
): Promise<void> {
  const bytes = encodeManifest(manifest, { privateKeyPem: options.privateKeyPem ?? key(rig, 'manifest.key.pem') });
  await storeOf(rig).put(manifestKey(options.lane ?? manifest.lane, manifest.bundle), bytes);
}

/** As if a tombstone had been set days ago, by Temporal's clock and by the store's; all of the lane is as old there. */
export async function ageTombstone(rig: Rig, lane: string, bundle: string, days: number): Promise<void> {
  const then = new Date(Date.now() - days * 24 * 3_600_000);
  const manifestSha256 = sha256(readFileSync(join(rig.storePath, manifestKey(lane, bundle))));
  const says = { format: 1, fleet, lane, bundle, manifestSha256, tombstonedAt: then.toISOString() } as const;
  const bytes = encodeTombstone(says, { privateKeyPem: key(rig, 'manifest.key.pem') });
  await storeOf(rig).delete(tombstoneKey(lane, bundle));
  await storeOf(rig).put(tombstoneKey(lane, bundle), bytes);
  const folder = join(rig.storePath, lane);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), then, then);
}

/** An id that is newer than all bundles of today. */
export function newBundleId(): string {
  return `20991231T235959Z-${randomBytes(4).toString('hex')}`;
}

export type Forged = Pick<ManifestSegment, 'component' | 'kind' | 'base'> & {
  readonly range?: { readonly offset: number; readonly length: number };
  readonly supplement?: boolean;
  /** The plain bytes: a tar, or a range. */
  readonly plain: Buffer;
  readonly entries: readonly IndexEntry[];
  /** Sealed for another lane. */
  readonly sealedFor?: string;
};

/** Seals and stores forged segments and writes a manifest that holds them beside those of a real bundle. */
export async function forgeBundle(rig: Rig, lane: string, from: string, forged: readonly Forged[]): Promise<string> {
  const real = readManifest(rig, lane, from);
  const made = await Promise.all(
    forged.map((segment, at) => putSegment(rig, lane, segment, `f-${String(at).padStart(4, '0')}`)),
  );
  const segments = [...real.segments, ...made];
  const bundle = newBundleId();
  await putManifest(rig, { ...real, bundle, segments, components: totalsOf(segments) });
  return bundle;
}

async function putSegment(rig: Rig, lane: string, segment: Forged, id: string): Promise<ManifestSegment> {
  const { component, kind, base, range, supplement = false, plain, entries, sealedFor = lane } = segment;
  const fingerprint = randomBytes(32).toString('hex');
  const [suffix, indexSuffix] = [randomBytes(8).toString('hex'), randomBytes(8).toString('hex')];
  const index = encodeIndex({
    segment: id,
    component,
    kind,
    base,
    ...(range ? { range } : {}),
    entries,
    omissions: [],
  });
  const sealed = await seal(rig, plain, { fleet, lane: sealedFor, object: 'segment', fingerprint });
  const sealedIndex = await seal(rig, index, { fleet, lane: sealedFor, object: 'index', fingerprint });
  await storeOf(rig).put(segmentKey(lane, fingerprint, suffix), sealed);
  await storeOf(rig).put(indexKey(lane, fingerprint, indexSuffix), sealedIndex);
  const about = { id, component, kind, base, ...(range ? { range } : {}), supplement, fingerprint, reusable: false };
  return {
    ...about,
    suffix,
    ...described(sealed),
    plainBytes: plain.length,
    members: entries.length,
    index: { suffix: indexSuffix, ...described(sealedIndex) },
  };
}

function seal(rig: Rig, plain: Buffer, context: SealContext): Promise<Buffer> {
  return buffer(sealPipeline(Readable.from([plain]), recipientsOf(rig), context).sealed);
}

function described(sealed: Buffer): { sealedBytes: number; sealedSha256: string } {
  return { sealedBytes: sealed.length, sealedSha256: sha256(sealed) };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface ForgedMember {
  readonly name: string;
  readonly type?: NonNullable<Header['type']>;
  readonly link?: string;
  readonly content?: string;
  readonly mode?: number;
}

const epochSeconds = 1_761_955_200;

/** A tar of these members, whatever they are. */
export async function tarOf(members: readonly ForgedMember[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, type = 'file', link, content = '', mode = 0o600 } of members) {
    const header = {
      name,
      type,
      mode,
      mtime: new Date(epochSeconds * 1000),
      ...(link === undefined ? {} : { linkname: link }),
    };
    if (type === 'file') archive.entry(header, content);
    else archive.entry(header);
  }
  archive.finalize();
  return buffer(archive);
}

/** The index that agrees with such a tar, as far as an index can say it. */
export function indexOf(members: readonly ForgedMember[]): IndexEntry[] {
  return members.map(({ name, type = 'file', link, content = '', mode = 0o600 }) => ({
    path: name.replace(/(.)\/$/, '$1'),
    type: type === 'directory' || type === 'symlink' || type === 'link' ? type : 'file',
    mode,
    sizeBytes: type === 'file' ? content.length : 0,
    mtime: `${epochSeconds}000000000`,
    ...(link === undefined ? {} : { link }),
    ...(type === 'file' ? { sha256: sha256(Buffer.from(content)) } : {}),
  }));
}

/** A tar segment of the workspace that says the same in archive and index. */
export async function forgedTar(members: readonly ForgedMember[], more: Partial<Forged> = {}): Promise<Forged> {
  return {
    component: 'workspace',
    kind: 'tar',
    base: 'home',
    plain: await tarOf(members),
    entries: indexOf(members),
    ...more,
  };
}
