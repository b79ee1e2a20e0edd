// Opens every golden bundle with the code of today, as a store's reader would, and refuses every tampered copy.

import { execFileSync } from 'node:child_process';
import {
  mkdtempSync,
  openSync,
  closeSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/bundle/digest.ts';
import { decodeIndex, pathOf, type SegmentIndex } from '../../../src/bundle/index-file.ts';
import { type Manifest, type ManifestSegment, openManifest } from '../../../src/bundle/manifest.ts';
import { indexKey, manifestKey, segmentKey } from '../../../src/bundle/object-keys.ts';
import { openPipeline } from '../../../src/bundle/pipelines.ts';
import { requireOneTree, selectSegments, unpackOrder } from '../../../src/bundle/restore-plan.ts';
import type { OpeningKey } from '../../../src/bundle/seal.ts';
import { decodeSecrets } from '../../../src/bundle/secrets-file.ts';
import { auditTar } from '../../../src/bundle/tar-audit.ts';
import { limits } from '../../../src/domain/limits.ts';
import { components } from '../../../src/domain/terms.ts';
import { openingKeys, signers } from '../../golden/keys.ts';
import { type Expected, golden, makeGolden, treeLines } from '../../golden/make.ts';
import { collect, flipped, pieces, through } from './streams.ts';

const kept = new URL('../../golden/', import.meta.url).pathname;
const made = mkdtempSync(join(tmpdir(), 'clawback-golden-test-'));
await makeGolden(made);
afterAll(() => rmSync(made, { recursive: true }));

const versions = readdirSync(kept).filter((name) => /^v\d+$/.test(name));
const bundles = [...versions.map((name) => [name, join(kept, name)] as const), ['made by this build', made] as const];

type ObjectKind = 'segment' | 'index';

class Reader {
  readonly #folder: string;
  readonly manifest: Manifest;
  readonly expected: Expected;

  constructor(folder: string) {
    this.#folder = folder;
    this.manifest = openManifest(this.manifestBytes(), {
      publicKeysPem: [signers.manifest.publicKeyPem],
      ...golden,
    }).manifest;
    this.expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected;
  }

  manifestBytes(): Buffer {
    return readFileSync(join(this.#folder, manifestKey(golden.lane, golden.bundle)));
  }

  sealed({ fingerprint, suffix, index }: ManifestSegment, object: ObjectKind): Buffer {
    const key =
      object === 'segment'
        ? segmentKey(golden.lane, fingerprint, suffix)
        : indexKey(golden.lane, fingerprint, index.suffix);
    return readFileSync(join(this.#folder, key));
  }

  /** Opens bytes in the place of one object; `trusting` skips what the manifest says of its digest. */
  open(
    segment: ManifestSegment,
    object: ObjectKind,
    { bytes = this.sealed(segment, object), key = openingKeys.vault, trusting = false }: OpenOptions = {},
  ): Promise<Buffer> {
    const { sealedBytes, sealedSha256 } = object === 'segment' ? segment : segment.index;
    const said = { sizeBytes: sealedBytes, sha256: sealedSha256 };
    const expectation = trusting ? { sizeBytes: bytes.length, sha256: sha256Hex(bytes) } : said;
    const context = { fleet: golden.fleet, lane: golden.lane, object, fingerprint: segment.fingerprint };
    return collect(
      openPipeline(
        pieces(bytes, 1000),
        expectation,
        key,
        context,
        object === 'segment' ? segment.plainBytes : limits.indexBytes,
      ),
    );
  }

  async index(segment: ManifestSegment): Promise<SegmentIndex> {
    return decodeIndex(await this.open(segment, 'index'));
  }
}

interface OpenOptions {
  readonly bytes?: Buffer;
  readonly key?: OpeningKey;
  readonly trusting?: boolean;
}

it('there is a golden bundle of every format so far', () => {
  expect(versions).toEqual(['v1']);
});

describe.each(bundles)('the golden bundle %s', (_name, folder) => {
  const reader = new Reader(folder);
  const { segments } = reader.manifest;

  it('holds one of everything', () => {
    expect(new Set(segments.map(({ kind }) => kind))).toEqual(new Set(['tar', 'range', 'directories', 'secrets']));
    expect(segments.some(({ supplement }) => supplement)).toBe(true);
  });

  it('opens to the bytes that were sealed, with either key', async () => {
    for (const segment of segments) {
      for (const key of [openingKeys.vault, openingKeys.recovery]) {
        expect(sha256Hex(await reader.open(segment, 'segment', { key })), segment.id).toBe(
          reader.expected.plainSha256[segment.id],
        );
      }
    }
  });

  it('has indexes that agree with their segments, member by member', async () => {
    const trees: SegmentIndex['entries'][] = [];
    for (const segment of segments) {
      const index = await reader.index(segment);
      const plain = await reader.open(segment, 'segment');
      expect(index).toMatchObject({ component: segment.component, kind: segment.kind, base: segment.base });
      expect(index.omissions).toEqual([{ path: Buffer.from('left-out'), reason: 'vanished' }]);
      if (!segment.supplement) trees.push(index.entries);
      if (segment.kind === 'range') expect(index.entries).toMatchObject([{ sha256: sha256Hex(plain) }]);
      if (segment.kind !== 'tar' && segment.kind !== 'directories') continue;
      const audit = auditTar({ expect: 'index', entries: index.entries });
      await through(plain, audit.stream);
      expect(audit.result().entries).toHaveLength(segment.members);
    }
    requireOneTree(trees);
  });

  it('has the secrets byte for byte', async () => {
    const [segment] = selectSegments(reader.manifest, ['secrets']) as [ManifestSegment];
    const items = decodeSecrets(await reader.open(segment, 'segment'));
    expect(items.map(({ value, ...item }) => ({ ...item, valueBase64: value.toString('base64') }))).toEqual(
      reader.expected.secrets,
    );
  });

  it.each(['bsdtar', 'tar'])('becomes the tree that it was, unpacked by %s in the documented order', async (tool) => {
    const root = mkdtempSync(join(tmpdir(), 'clawback-unpack-'));
    try {
      const { data, supplements, directories } = unpackOrder(selectSegments(reader.manifest, components));
      for (const segment of [...data, ...supplements, ...directories]) await unpack(reader, segment, root, tool);
      expect(treeLines(root)).toEqual(reader.expected.tree);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

async function unpack(reader: Reader, segment: ManifestSegment, root: string, tool: string): Promise<void> {
  const plain = await reader.open(segment, 'segment');
  if (segment.range === undefined) execFileSync(tool, ['-xpf', '-', '--numeric-owner', '-C', root], { input: plain });
  else await writeRange(reader, segment, root, plain);
}

async function writeRange(reader: Reader, segment: ManifestSegment, root: string, plain: Buffer): Promise<void> {
  const [file] = (await reader.index(segment)).entries as [SegmentIndex['entries'][number]];
  const path = join(root, pathOf(file).toString());
  mkdirSync(dirname(path), { recursive: true });
  const handle = openSync(path, segment.range?.offset === 0 ? 'w' : 'r+', file.mode);
  writeSync(handle, plain, 0, plain.length, segment.range?.offset ?? 0);
  closeSync(handle);
  truncateSync(path, file.sizeBytes);
  const seconds = Number(BigInt(file.mtime) / 1_000_000n) / 1000;
  utimesSync(path, seconds, seconds);
}

describe.each(bundles.slice(0, versions.length))(
  'a tampered copy of the golden bundle %s is refused',
  (_name, folder) => {
    const reader = new Reader(folder);
    const { segments } = reader.manifest;
    const kinds = ['segment', 'index'] as const;
    const damaged = { code: expect.stringMatching(/^Bundle(Damaged|KeyWrong)$/) };

    it('with a bit turned in any region of a sealed object, whether or not the digest is known', async () => {
      for (const segment of segments) {
        for (const object of kinds) {
          const bytes = reader.sealed(segment, object);
          // version and suite, message id, context, wrapped keys, commitment, header tag, frame, its tag
          const spots = [0, 1, 2, 20, 60, 250, 400, 800, 1150, bytes.length - 60, bytes.length - 20, bytes.length - 1];
          for (const at of spots.filter((spot) => spot < bytes.length)) {
            const changed = { bytes: flipped(bytes, at), trusting: at !== 60 };
            await expect(reader.open(segment, object, changed), `${segment.id} ${at}`).rejects.toMatchObject(damaged);
          }
        }
      }
    });

    it('cut or lengthened anywhere', async () => {
      const [segment] = segments as [ManifestSegment];
      const bytes = reader.sealed(segment, 'segment');
      for (let cut = 0; cut < bytes.length; cut += 61) {
        await expect(
          reader.open(segment, 'segment', { bytes: bytes.subarray(0, cut), trusting: true }),
        ).rejects.toMatchObject({ code: 'BundleDamaged' });
      }
      await expect(reader.open(segment, 'segment', { bytes: bytes.subarray(0, -1) })).rejects.toMatchObject({
        code: 'BundleDamaged',
      });
      await expect(
        reader.open(segment, 'segment', { bytes: Buffer.concat([bytes, Buffer.of(0)]) }),
      ).rejects.toMatchObject({ code: 'BundleDamaged' });
    });

    it('with two objects swapped: segments, or a segment and its index', async () => {
      for (const [at, segment] of segments.entries()) {
        const other = segments[(at + 1) % segments.length] as ManifestSegment;
        const swaps = [reader.sealed(other, 'segment'), reader.sealed(segment, 'index')];
        for (const bytes of swaps) {
          await expect(reader.open(segment, 'segment', { bytes })).rejects.toMatchObject({ code: 'BundleDamaged' });
          await expect(reader.open(segment, 'segment', { bytes, trusting: true })).rejects.toMatchObject({
            code: 'BundleDamaged',
            message: expect.stringContaining('clawback-'),
          });
        }
      }
    });

    it('with a bit turned anywhere in the manifest, or for another lane', () => {
      const bytes = reader.manifestBytes();
      const trusted = { publicKeysPem: [signers.manifest.publicKeyPem], ...golden };
      for (let at = 0; at < bytes.length; at += 23) {
        expect(() => openManifest(flipped(bytes, at), trusted), `byte ${at}`).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^Bundle(Damaged|SignatureBad)$/) }),
        );
      }
      expect(() => openManifest(bytes, { ...trusted, lane: 'lane-2' })).toThrow(
        expect.objectContaining({ code: 'BundleForeign' }),
      );
      expect(() => openManifest(bytes, { ...trusted, publicKeysPem: [signers.intruder.publicKeyPem] })).toThrow(
        expect.objectContaining({ code: 'BundleSignatureBad' }),
      );
    });

    it('opened with a key that is no recipient', async () => {
      const [segment] = segments as [ManifestSegment];
      await expect(reader.open(segment, 'segment', { key: openingKeys.stranger })).rejects.toMatchObject({
        code: 'BundleKeyWrong',
      });
    });
  },
);
