// Activities over real stores: the golden bundle in a directory store, an empty one beside it, and what breaks them.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Deps } from '../../../src/activities/deps.ts';
import { type Manifest, openManifest } from '../../../src/bundle/manifest.ts';
import { indexKey, manifestKey, segmentKey } from '../../../src/bundle/object-keys.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { DirectoryStore } from '../../../src/store/directory.ts';
import type { Store } from '../../../src/store/store.ts';
import { openingKeys, signers } from '../../golden/keys.ts';
import { golden } from '../../golden/make.ts';

const kept = new URL('../../golden/v1/', import.meta.url).pathname;

/** Replaces what a store does, method by method. */
export type Twist = (store: Store) => Partial<Store>;

export class GoldenStores {
  readonly dir = mkdtempSync(join(tmpdir(), 'clawback-stores-'));
  readonly manifest: Manifest;
  readonly #twists = new Map<string, Twist>();

  constructor() {
    for (const name of ['primary', 'far']) {
      mkdirSync(join(this.dir, name));
      writeFileSync(join(this.dir, name, '.clawback-store'), 'a store');
    }
    cpSync(join(kept, golden.lane), join(this.dir, 'primary', golden.lane), { recursive: true });
    const bytes = readFileSync(this.path('primary', manifestKey(golden.lane, golden.bundle)));
    this.manifest = openManifest(bytes, { publicKeysPem: [signers.manifest.publicKeyPem], ...golden }).manifest;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  path(store: string, key: string): string {
    return join(this.dir, store, key);
  }

  /** The key of a segment, or of its index. */
  key(id: string, object: 'segment' | 'index' = 'segment'): string {
    const segment = this.manifest.segments.find((one) => one.id === id);
    if (!segment) throw new Error(`the golden bundle has no segment ${id}`);
    const { fingerprint, suffix, index } = segment;
    return object === 'segment'
      ? segmentKey(golden.lane, fingerprint, suffix)
      : indexKey(golden.lane, fingerprint, index.suffix);
  }

  /** Other bytes under a key; of the same size unless a change makes them others. */
  damage(
    store: string,
    key: string,
    change = (bytes: Buffer): Buffer => bytes.map((byte) => byte ^ 1) as Buffer,
  ): void {
    const path = this.path(store, key);
    mkdirSync(dirname(path), { recursive: true });
    const there = [path, this.path('primary', key)].find(existsSync);
    const bytes = there === undefined ? Buffer.alloc(0) : readFileSync(there);
    rmSync(path, { force: true });
    writeFileSync(path, change(Buffer.from(bytes)));
  }

  /** The store's medium is not there. */
  lose(store: string): void {
    renameSync(join(this.dir, store), join(this.dir, `${store}.gone`));
  }

  twist(store: string, twist: Twist): void {
    this.#twists.set(store, twist);
  }

  objects(store: string): Record<string, string> {
    const root = join(this.dir, store);
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && entry.name !== '.clawback-store' && !entry.parentPath.includes('/.'),
    );
    const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)).toSorted();
    return Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path)).toString('base64')]));
  }

  /** What store activities need; anything else is refused. */
  get deps(): Deps {
    const refuse = (): never => {
      throw new Failure('Unexpected', 'this step was to touch stores only');
    };
    const refused: unknown = new Proxy({}, { get: refuse });
    return {
      version: '0.0.0',
      fleet: refused as Deps['fleet'],
      pool: refused as Deps['pool'],
      temporal: refused as Deps['temporal'],
      keys: {
        fingerprint: refuse,
        manifestSigner: refuse,
        recipients: refuse,
        receiptSigner: refuse,
        receiptPublicKeysPem: async () => [],
        manifestPublicKeysPem: async () => [signers.manifest.publicKeyPem],
        opening: async () => openingKeys.vault,
      },
      hooks: { kinds: [], resolve: refuse },
      store: (name) => this.#store(name),
      archives: refuse,
      applySchedules: refuse,
      keychainPassword: refuse,
    };
  }

  #store(name: string): Store {
    const store = new DirectoryStore(name, join(this.dir, name));
    const twisted = this.#twists.get(name)?.(store) ?? {};
    return new Proxy(store, {
      get: (target, property) => {
        const own = Reflect.get(twisted, property) ?? Reflect.get(target, property, target);
        return typeof own === 'function' ? own.bind(target) : own;
      },
    });
  }
}

/** Runs an activity as Temporal would; `cancelAfter` cancels it as soon as that has happened. */
export async function runStep<I, O>(
  step: (input: I) => Promise<O>,
  input: I,
  { attempt = 1, cancelAfter }: { readonly attempt?: number; readonly cancelAfter?: Promise<unknown> } = {},
): Promise<O> {
  const env = new MockActivityEnvironment(
    { attempt, currentAttemptScheduledTimestampMs: Date.now() },
    { logger: new DefaultLogger('ERROR') },
  );
  void cancelAfter?.then(() => env.cancel('CANCELLED'));
  return env.run(step, input);
}
