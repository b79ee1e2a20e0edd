// The bundles of a lane as the store has them: listed, their manifests read and checked. Reads only; needs no key but
// the public one of the manifests, and no Temporal.

import type { Readable } from 'node:stream';
import { type Manifest, openManifest } from '../bundle/manifest.ts';
import { manifestKey, manifestsPrefix, tombstoneKey } from '../bundle/object-keys.ts';
import { openTombstone } from '../bundle/tombstone.ts';
import type { FleetFile } from '../config/fleet-file.ts';
import { describeStore } from '../config/fleet-store.ts';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { bundleIdPattern } from '../domain/terms.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/store.ts';

/** A manifest that is right, or why it is not. */
export type Shelved =
  | {
      readonly bundle: string;
      readonly manifest: Manifest;
      readonly sha256: string;
      /** When retention gave it up; null when it did not. */
      readonly tombstonedAt: string | null;
    }
  | { readonly bundle: string; readonly failure: Failure };

export class BundleShelf {
  readonly lane: string;
  readonly store: Store;
  readonly #file: FleetFile;

  /**
   * @param name a store of the fleet; left out, the lane's own
   * @throws Failure UnknownLane
   */
  constructor(file: FleetFile, lane: string, name = file.laneSpec(lane).store) {
    this.lane = lane;
    this.#file = file;
    this.store = openStore(name, describeStore(file, name, 'vault'));
  }

  /** Ids, newest first. */
  async list(): Promise<string[]> {
    const prefix = manifestsPrefix(this.lane);
    const ids: string[] = [];
    for await (const { key } of this.store.list(prefix)) {
      const id = key.slice(prefix.length).replace(/\.json$/, '');
      if (bundleIdPattern.test(id)) ids.push(id);
    }
    return ids.toSorted().toReversed();
  }

  /** @throws Failure NoRestorePoint when there is none, BundleSignatureBad, BundleForeign, BundleFormatUnknown, BundleDamaged */
  async read(bundle: string): Promise<{ readonly manifest: Manifest; readonly sha256: string }> {
    const bytes = await readSmall(await this.#get(bundle), bundle);
    const opened = openManifest(bytes, {
      publicKeysPem: this.#file.keys.manifest,
      fleet: this.#file.fleet.fleet,
      lane: this.lane,
    });
    if (opened.manifest.bundle === bundle) return opened;
    throw new Failure(
      'BundleDamaged',
      `the manifest of bundle ${bundle} says that it is of bundle ${opened.manifest.bundle}`,
      { bundle },
    );
  }

  /** As {@link read}; what is wrong with the bundle itself is a value. */
  async look(bundle: string): Promise<Shelved> {
    try {
      const checked = await this.read(bundle);
      return { bundle, ...checked, tombstonedAt: await this.tombstonedAt(bundle, checked.sha256) };
    } catch (error) {
      if (!(error instanceof Failure) || !error.code.startsWith('Bundle')) throw error;
      return { bundle, failure: error };
    }
  }

  /** When a bundle got its tombstone. One that is not signed by a key of the fleet, or of other bytes, counts as none. */
  async tombstonedAt(bundle: string, manifestSha256: string): Promise<string | null> {
    try {
      const bytes = await readSmall(await this.store.get(tombstoneKey(this.lane, bundle)), bundle);
      const of = { fleet: this.#file.fleet.fleet, lane: this.lane, bundle, manifestSha256 };
      return openTombstone(bytes, { publicKeysPem: this.#file.keys.manifest, of }).tombstonedAt;
    } catch (error) {
      if (error instanceof Failure && (error.code === 'ObjectMissing' || error.code.startsWith('Bundle'))) return null;
      throw error;
    }
  }

  async #get(bundle: string): Promise<Readable> {
    try {
      return await this.store.get(manifestKey(this.lane, bundle));
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'ObjectMissing') throw error;
      throw new Failure('NoRestorePoint', `store ${this.store.name} has no bundle ${bundle} of lane ${this.lane}`, {
        bundle,
        lane: this.lane,
      });
    }
  }
}

async function readSmall(stream: Readable, bundle: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > limits.manifestBytes)
      throw new Failure(
        'BundleDamaged',
        `the manifest of bundle ${bundle} has more than ${limits.manifestBytes} bytes`,
        { bundle },
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
