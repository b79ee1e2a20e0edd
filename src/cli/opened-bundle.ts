// A bundle opened offline: its manifest checked, its indexes and segments decrypted as they are read. What is not what
// the manifest says fails at the end of its stream at the latest.

import type { Readable } from 'node:stream';
import { decodeIndex, type SegmentIndex } from '../bundle/index-file.ts';
import type { Manifest, ManifestSegment } from '../bundle/manifest.ts';
import { indexKey, segmentKey, versionOf } from '../bundle/object-keys.ts';
import { openPipeline } from '../bundle/pipelines.ts';
import type { OpeningKey } from '../bundle/recipient.ts';
import { limits } from '../domain/limits.ts';
import type { BundleShelf } from './bundle-shelf.ts';

export class OpenedBundle {
  readonly manifest: Manifest;
  readonly #shelf: BundleShelf;
  readonly #key: OpeningKey;

  /** @throws Failure what {@link BundleShelf.read} throws */
  static async open(shelf: BundleShelf, bundle: string, key: OpeningKey): Promise<OpenedBundle> {
    return new OpenedBundle(shelf, (await shelf.read(bundle)).manifest, key);
  }

  constructor(shelf: BundleShelf, manifest: Manifest, key: OpeningKey) {
    this.manifest = manifest;
    this.#shelf = shelf;
    this.#key = key;
  }

  /** @throws Failure ObjectMissing, BundleDamaged, BundleForeign, BundleKeyWrong */
  async index({ fingerprint, index }: ManifestSegment): Promise<SegmentIndex> {
    const sealed = await this.#shelf.store.get(indexKey(this.#shelf.lane, fingerprint, index.suffix), versionOf(index));
    const expected = { sizeBytes: index.sealedBytes, sha256: index.sealedSha256 };
    const plain = openPipeline(sealed, expected, this.#key, this.#context(fingerprint, 'index'), limits.indexBytes);
    const chunks: Buffer[] = [];
    for await (const chunk of plain as AsyncIterable<Buffer>) chunks.push(chunk);
    return decodeIndex(Buffer.concat(chunks));
  }

  /** Its plain bytes: a tar, a range, or the secrets file. Fails as {@link index} does. */
  async plain(segment: ManifestSegment): Promise<Readable> {
    const { fingerprint, suffix, sealedBytes, sealedSha256, plainBytes } = segment;
    const sealed = await this.#shelf.store.get(segmentKey(this.#shelf.lane, fingerprint, suffix), versionOf(segment));
    return openPipeline(
      sealed,
      { sizeBytes: sealedBytes, sha256: sealedSha256 },
      this.#key,
      this.#context(fingerprint, 'segment'),
      plainBytes,
    );
  }

  #context(fingerprint: string, object: 'segment' | 'index') {
    return { fleet: this.manifest.fleet, lane: this.manifest.lane, object, fingerprint } as const;
  }
}
