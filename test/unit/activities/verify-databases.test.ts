// Databases of a bundle that are too large for a worker's own memory: in the machine's where it has a place for them, and
// named where it has none. The bundle is made for it, with the golden keys.

import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasRoomInMemory, withMemoryFile } from '../../../src/activities/verify/memory-file.ts';
import { verifyDatabasesStep } from '../../../src/activities/verify/verify-databases.ts';
import { encodeIndex, type IndexEntry } from '../../../src/bundle/index-file.ts';
import { encodeManifest, type ManifestSegment, totalsOf } from '../../../src/bundle/manifest.ts';
import { indexKey, manifestKey, segmentKey } from '../../../src/bundle/object-keys.ts';
import { sealPipeline } from '../../../src/bundle/pipelines.ts';
import { recipients, signers } from '../../golden/keys.ts';
import { golden } from '../../golden/make.ts';
import { GoldenStores, runStep } from './golden-stores.ts';

const place = { fleet: golden.fleet, lane: golden.lane, store: 'primary' };
const bundle = '20261123T031500Z-0000000d';
const memory = '/dev/shm';

let stores: GoldenStores;
beforeEach(() => {
  stores = new GoldenStores();
});
afterEach(() => stores.remove());

/** Some 2 MB; with WAL in its header, as the copies of a gateway's have it. */
function database(change: (bytes: Buffer) => Buffer = (bytes) => bytes): Buffer {
  const path = stores.path('primary', 'made.db');
  const made = new DatabaseSync(path);
  made.exec('PRAGMA journal_mode=WAL; CREATE TABLE a(x BLOB); CREATE INDEX i ON a(x)');
  const add = made.prepare('INSERT INTO a VALUES (?)');
  for (let row = 0; row < 500; row += 1) add.run(randomBytes(2_000));
  made.close();
  const bytes = readFileSync(path);
  rmSync(path);
  return change(bytes);
}

const torn = (bytes: Buffer): Buffer => bytes.fill(0, 8_192, 12_288);

interface Part {
  readonly plain: Buffer;
  readonly entry: IndexEntry;
  readonly range?: { readonly offset: number; readonly length: number };
}

function entryOf(path: string, bytes: Buffer): IndexEntry {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, type: 'file', mode: 0o600, sizeBytes: bytes.length, mtime: '1', sha256 };
}

function asTar(path: string, bytes: Buffer): Promise<Part> {
  const tar = pack();
  tar.entry({ name: path }, bytes);
  tar.finalize();
  return buffer(tar).then((plain) => ({ plain, entry: entryOf(path, bytes) }));
}

function asRanges(path: string, bytes: Buffer): Part[] {
  const half = 1_000_000;
  return [
    { offset: half, length: bytes.length - half }, // not in their order
    { offset: 0, length: half },
  ].map((range) => {
    const plain = bytes.subarray(range.offset, range.offset + range.length);
    return { plain, range, entry: { ...entryOf(path, plain), sizeBytes: bytes.length } };
  });
}

async function sealed(bytes: Buffer, object: 'segment' | 'index', fingerprint: string): Promise<Buffer> {
  const context = { fleet: golden.fleet, lane: golden.lane, object, fingerprint } as const;
  return buffer(sealPipeline(Readable.from([bytes]), [recipients.vault], context).sealed);
}

async function segmentOf({ plain, entry, range }: Part, at: number): Promise<ManifestSegment> {
  const fingerprint = randomBytes(32).toString('hex');
  const suffixes = [randomBytes(8).toString('hex'), randomBytes(8).toString('hex')] as const;
  const id = `s-${String(at + 1).padStart(4, '0')}`;
  const about = { id, component: 'transcripts', kind: range ? 'range' : 'tar', base: 'copies' } as const;
  const index = encodeIndex({
    segment: id,
    component: about.component,
    kind: about.kind,
    base: about.base,
    ...(range ? { range } : {}),
    entries: [entry],
    omissions: [],
  });
  const [segment, sealedIndex] = [
    await sealed(plain, 'segment', fingerprint),
    await sealed(index, 'index', fingerprint),
  ];
  const store = stores.deps.store('primary');
  await store.put(segmentKey(golden.lane, fingerprint, suffixes[0]), segment);
  await store.put(indexKey(golden.lane, fingerprint, suffixes[1]), sealedIndex);
  const described = (bytes: Buffer) => ({
    sealedBytes: bytes.length,
    sealedSha256: createHash('sha256').update(bytes).digest('hex'),
  });
  return {
    ...about,
    ...(range ? { range } : {}),
    supplement: false,
    fingerprint,
    reusable: false,
    suffix: suffixes[0],
    ...described(segment),
    plainBytes: plain.length,
    members: 1,
    index: { suffix: suffixes[1], ...described(sealedIndex) },
  };
}

async function bundleOf(parts: readonly Part[]): Promise<void> {
  const segments: ManifestSegment[] = [];
  for (const [at, part] of parts.entries()) segments.push(await segmentOf(part, at));
  const manifest = { ...stores.manifest, bundle, segments, components: totalsOf(segments) };
  const bytes = encodeManifest(manifest, signers.manifest);
  await stores.deps.store('primary').put(manifestKey(golden.lane, bundle), bytes);
}

const check = (hasRoom = hasRoomInMemory) =>
  runStep(verifyDatabasesStep(stores.deps, { ownBytes: 100_000, hasRoom }), { ...place, bundle });
const leftInMemory = (): string[] =>
  existsSync(memory) ? readdirSync(memory).filter((name) => name.startsWith(`clawback-${process.pid}-`)) : [];

describe('a database that is larger than what a worker checks in its own memory', () => {
  it.each([
    ['whole', asTar, async (path: string, bytes: Buffer) => [await asTar(path, bytes)]],
    ['in ranges', asRanges, async (path: string, bytes: Buffer) => asRanges(path, bytes)],
  ])('is checked, stored %s, where the machine has room in memory, and leaves nothing', async (_, _make, parts) => {
    await bundleOf([
      ...(await parts('.openclaw/sound.db', database())),
      ...(await parts('.openclaw/torn.db', database(torn))),
    ]);
    const hasPlace = await hasRoomInMemory(4_000_000);
    const { checked, tooLarge, faults } = await check();
    expect({ checked, tooLarge }).toEqual(hasPlace ? { checked: 2, tooLarge: 0 } : { checked: 0, tooLarge: 2 });
    expect(faults).toMatchObject(hasPlace ? [{ bundle, object: 'database', what: 'damaged' }] : []);
    expect(leftInMemory()).toEqual([]);
  });

  it('is named with its size where there is no room; the small ones beside it are checked', async () => {
    const large = database();
    const small = await asTar('.openclaw/small.db', Buffer.alloc(0));
    await bundleOf([await asTar('.openclaw/large.db', large), small, ...asRanges('.openclaw/ranges.db', large)]);
    const asked: number[] = [];
    const found = await check(async (sizeBytes) => {
      asked.push(sizeBytes);
      return false;
    });
    expect(found).toMatchObject({ checked: 1, tooLarge: 2, faults: [] });
    expect(found.unchecked).toEqual([
      { bundle, segment: 's-0001', sizeBytes: large.length },
      { bundle, segment: 's-0004', sizeBytes: large.length },
    ]);
    expect(asked).toEqual([large.length, large.length]);
  });

  it('has no room where memory is short, whatever the folder holds', async () => {
    expect(await hasRoomInMemory(process.availableMemory())).toBe(false);
  });

  it('goes with the next one where a worker was killed over it', async () => {
    const hasPlace = await hasRoomInMemory(1_000);
    const { pid } = spawnSync('true');
    const left = join(memory, `clawback-${pid}-abcdef`);
    if (hasPlace) mkdirSync(left);
    const seen = hasPlace ? await withMemoryFile(async (path) => existsSync(path)) : false;
    expect([seen, existsSync(left)]).toEqual([false, false]);
  });
});
