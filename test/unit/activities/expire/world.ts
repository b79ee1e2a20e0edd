// One lane, its store and its clocks, and everything that works on them: backups, restores, expiry, sweeps and proofs,
// by the real activities. Nothing holds a lock in here: what a lane's section forbids may happen all the same, as when
// a worker that was thought dead goes on writing.

import { createHash } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { vi } from 'vitest';
import { createActivities, type Deps } from '../../../../src/activities/index.ts';
import { objectsOf } from '../../../../src/activities/bundle-objects.ts';
import type { Checked } from '../../../../src/activities/tombstones.ts';
import type { Manifest } from '../../../../src/bundle/manifest.ts';
import { indexKey, segmentKey } from '../../../../src/bundle/object-keys.ts';
import type { ExpiryPlan, ExpiryRequest } from '../../../../src/contract/expiry.ts';
import type { SegmentPlan, SegmentResult } from '../../../../src/contract/results.ts';
import type { ManifestRequest, Predecessor } from '../../../../src/contract/step-types.ts';
import { limits } from '../../../../src/domain/limits.ts';
import type { Retention } from '../../../../src/domain/retention.ts';
import { bundleIdOf, type Component, componentsOf, type Tier } from '../../../../src/domain/terms.ts';
import { encodeReceipt } from '../../../../src/receipt/receipt.ts';
import { receiptKey } from '../../../../src/receipt/stored-receipts.ts';
import type { Store, StoredObject } from '../../../../src/store/store.ts';
import { recipients, signers } from '../../../golden/keys.ts';
import { bundleOf, fleetSha256, receiptOf } from '../../receipt/receipts.ts';
import { MemoryStore } from './memory-store.ts';

/** Failing activities are part of the stories. */
const logger = new DefaultLogger('ERROR');

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
const [fleet, lane] = ['fleet-1', 'lane-1'];

/** Rules that were made wrong on purpose: the properties must see each. */
export const mutations = [
  'no grace',
  'tombstones are not looked at',
  'backups may take for ever',
  'the young are swept',
  'proofs are not looked at',
] as const;
export type Mutation = (typeof mutations)[number];

export interface WorldOptions {
  readonly retention?: Retention;
  readonly timeZone?: string;
  readonly mutation?: Mutation | undefined;
  /** What everything works on in place of the store in memory; asked at each step. */
  readonly place?: () => Store;
}

/** A store of which one folder cannot be seen. */
class BlindStore implements Store {
  readonly name = 'primary';
  readonly #store: MemoryStore;
  readonly #folder: string;

  constructor(store: MemoryStore, folder: string) {
    this.#store = store;
    this.#folder = folder;
  }
  list(prefix: string): AsyncIterable<StoredObject> {
    return this.#store.list(prefix.endsWith(this.#folder) ? 'none/' : prefix);
  }
  put: Store['put'] = (key, body) => this.#store.put(key, body);
  get: Store['get'] = (key) => this.#store.get(key);
  delete: Store['delete'] = (key) => this.#store.delete(key);
  sweepUploads: Store['sweepUploads'] = () => this.#store.sweepUploads();
}

interface Begun {
  readonly bundle: string;
  readonly tier: Tier;
  readonly startedAtMs: number;
  readonly plans: readonly SegmentPlan[];
  readonly results: readonly SegmentResult[];
  readonly predecessor: Predecessor | null;
}

export class World {
  readonly store = new MemoryStore(() => Date.now() + this.storeOffsetMs);
  readonly #activities: ReturnType<typeof createActivities>;
  readonly #reusing: ReturnType<typeof createActivities>;
  readonly #retention: Retention;
  readonly #timeZone: string;
  readonly #mutation: Mutation | undefined;
  readonly #place: () => Store;
  storeOffsetMs = 0;
  /** Temporal's clock less the worker's. */
  temporalOffsetMs = 0;
  #serial = 0;
  /** What the lane holds: a backup of the same generation finds its segments in the store. */
  readonly #generation = new Map<Component, number>();
  version = 'v1';
  /** The next backup finds next to nothing on the lane. */
  shrunk = false;
  readonly begun: Begun[] = [];
  readonly plans: { readonly plan: ExpiryPlan; readonly request: ExpiryRequest }[] = [];
  readonly chosen: { readonly keys: readonly string[]; readonly atMs: number }[] = [];

  constructor({ retention, timeZone = 'Asia/Tokyo', mutation, place }: WorldOptions = {}) {
    const usual = { daily: 2, weekly: 1, monthly: 1, graceMs: 2 * dayMs, ...retention };
    this.#retention = mutation === 'no grace' ? { ...usual, graceMs: 0 } : usual;
    this.#timeZone = timeZone;
    this.#mutation = mutation;
    const depsOf = (store: Store): Deps =>
      ({
        keys: {
          manifestSigner: async () => signers.manifest,
          manifestPublicKeysPem: async () => [signers.manifest.publicKeyPem],
          receiptPublicKeysPem: async () => [signers.manifest.publicKeyPem],
          recipients: async () => [recipients.vault],
        },
        store: () => store,
      }) as unknown as Deps;
    const blindTo = (folder: string): Deps => depsOf(new BlindStore(this.store, `/${folder}/`));
    this.#place = place ?? (() => this.store);
    this.deps = { ...depsOf(this.store), store: this.#place };
    this.#activities = createActivities(mutation === 'proofs are not looked at' ? blindTo('receipts') : this.deps);
    this.#reusing =
      mutation === 'tombstones are not looked at' ? createActivities(blindTo('tombstones')) : this.#activities;
  }
  readonly deps: Deps;

  pass(ms: number): void {
    vi.setSystemTime(Date.now() + ms);
  }

  /** What was there before may come back. */
  change(component: Component, generation: number): void {
    this.#generation.set(component, generation % 3);
  }

  /** Plans, asks what is there, and sends the rest; the manifest is yet to come. */
  async beginBackup(tier: Tier): Promise<void> {
    const startedAtMs = Date.now();
    this.#serial += 1;
    const bundle = bundleIdOf(startedAtMs, this.#serial.toString(16).padStart(8, '0'));
    const plans = componentsOf(tier).map((component, at) => this.#planOf(component, at));
    const found = await this.#run(this.#reusing.vault.findReusable, {
      fleet,
      lane,
      store: 'primary',
      fingerprints: plans.filter(({ reusable }) => reusable).map(({ fingerprint }) => fingerprint),
    });
    const results: SegmentResult[] = [];
    for (const plan of plans) {
      const reused = found.segments.find(({ fingerprint }) => fingerprint === plan.fingerprint);
      results.push(reused ? { ...reused, id: plan.id, vanished: 0, torn: 0 } : await this.#send(plan));
    }
    this.begun.push({ bundle, tier, startedAtMs, plans, results, predecessor: found.predecessor });
  }

  /** @returns the bundle's id. BackupTooLong; ObjectMissing, which nothing but a store's wrong clock may bring about */
  async commitBackup(nth = 0): Promise<string | undefined> {
    const [backup] = this.begun.splice(nth % Math.max(this.begun.length, 1), 1);
    if (!backup) return undefined;
    const { bundle, tier, startedAtMs, plans, results, predecessor } = backup;
    const now = Date.now();
    const startedAt = this.#mutation === 'backups may take for ever' ? now : startedAtMs;
    const request = {
      target: {
        fleet,
        lane,
        profile: 'openclaw-2026',
        user: 'agent-lane-1',
        home: '/Users/agent-lane-1',
        port: 11_430,
        host: { name: 'mac-1', root: '/' },
      },
      store: 'primary',
      bundle,
      tier,
      region: 'tokyo',
      startedAt: new Date(startedAt).toISOString(),
      createdAt: new Date(now).toISOString(),
      plan: {
        capturedAt: new Date(startedAtMs).toISOString(),
        consistency: 'compared',
        segments: plans,
        omissions: [],
      },
      results,
      survey: { os: 'macOS 26.1', openclawVersion: this.version, clockOffsetMs: 0 },
      predecessor,
    } as unknown as ManifestRequest;
    await this.#run(this.#activities.data.commitManifest, request);
    return bundle;
  }

  async planExpiry(): Promise<ExpiryPlan> {
    const request = this.#expiryRequest();
    const plan = await this.#run(this.#activities.vault.planExpiry, request);
    if (plan.standsStill === null) this.plans.push({ plan, request });
    return plan;
  }

  async bury(): Promise<void> {
    const planned = this.plans.shift();
    if (!planned) return;
    await this.#run(this.#activities.data.buryBundles, {
      fleet,
      lane,
      store: 'primary',
      bundles: planned.plan.toBury,
      tombstonedAt: new Date(planned.request.nowMs).toISOString(),
    });
  }

  removeExpired(): ReturnType<typeof this.remove> {
    return this.remove(this.#expiryRequest());
  }

  remove(request: ExpiryRequest): Promise<Awaited<ReturnType<typeof this.steps.vault.removeExpired>>> {
    return this.#run(this.#activities.vault.removeExpired, request);
  }

  /** A whole run, as the workflow makes it. */
  async expire(): Promise<void> {
    const { standsStill } = await this.planExpiry();
    if (standsStill !== null) return;
    await this.removeExpired();
    await this.bury();
  }

  sweep(
    minAgeMs: number = this.#mutation === 'the young are swept' ? 0 : limits.sweepMinAgeMs,
  ): ReturnType<typeof this.steps.vault.sweepLane> {
    return this.#run(this.#activities.vault.sweepLane, { fleet, lane, store: 'primary', minAgeMs });
  }

  /** A restore of what `restore` takes by itself, or of one named bundle: chosen now, fetched later. */
  async choose(bundle?: string): Promise<void> {
    const answer = await this.#run(this.#activities.vault.chooseBundles, {
      fleet,
      lane,
      store: 'primary',
      layered: bundle === undefined,
      ...(bundle === undefined ? {} : { bundle }),
    });
    const keys = answer.sources.flatMap(({ bundle: id }) => {
      const found = this.stored().find(({ manifest }) => manifest.bundle === id);
      if (!found) throw new Error(`bundle ${id} was chosen and is gone`);
      return objectsOf(found.manifest).map(({ key }) => key);
    });
    this.chosen.push({ keys, atMs: Date.now() });
  }

  /** Objects that a restore begun in time does not find any more. */
  fetch(): string[] {
    const restore = this.chosen.shift();
    if (!restore || Date.now() - restore.atMs > dayMs) return [];
    return restore.keys.filter((key) => !this.store.objects.has(key));
  }

  /** A receipt of a passed restore of a bundle. */
  async prove(bundle: string, sha256: string): Promise<void> {
    this.#serial += 1;
    const id = bundleIdOf(Date.now(), this.#serial.toString(16).padStart(8, '0'));
    const receipt = receiptOf({ id, bundles: [bundleOf({ bundle, manifestSha256: sha256 })] });
    await this.store.put(receiptKey(lane, id), encodeReceipt(receipt, { ...signers.manifest, fleetSha256 }));
  }

  /** The manifests as they lie in the store, newest first; read without any activity, so that looking changes nothing. */
  stored(): readonly Checked[] {
    const keys = this.keysBelow('manifests').toReversed();
    return keys.map((key) => {
      const bytes = this.store.objects.get(key)?.bytes ?? Buffer.alloc(0);
      const known = this.#read.get(key) ?? {
        manifest: JSON.parse(Buffer.from(JSON.parse(bytes.toString()).payload, 'base64').toString()) as Manifest,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      };
      this.#read.set(key, known);
      return known;
    });
  }
  readonly #read = new Map<string, Checked>();

  /** What manifests name and the store has not. */
  missing(): string[] {
    const named = this.stored().flatMap(({ manifest }) => objectsOf(manifest));
    return named.map(({ key }) => key).filter((key) => !this.store.objects.has(key));
  }

  keysBelow(folder: string): string[] {
    return [...this.store.objects.keys()].filter((key) => key.startsWith(`${lane}/${folder}/`)).toSorted();
  }

  get steps(): ReturnType<typeof createActivities> {
    return this.#activities;
  }

  #expiryRequest(): ExpiryRequest {
    const nowMs = Date.now() + this.temporalOffsetMs;
    const [retention, timeZone] = [this.#retention, this.#timeZone];
    return { fleet, lane, store: 'primary', primary: 'primary', timeZone, retention, nowMs };
  }

  #generationOf(component: Component): number {
    return this.#generation.get(component) ?? 0;
  }

  #planOf(component: Component, at: number): SegmentPlan {
    const generation = this.shrunk ? 'shrunk' : this.#generationOf(component);
    const fingerprint = createHash('sha256').update(`${component} ${generation}`).digest('hex');
    return {
      id: `s-${String(at + 1).padStart(4, '0')}`,
      component,
      kind: component === 'secrets' ? 'secrets' : 'tar',
      base: 'home',
      fingerprint,
      reusable: component !== 'secrets',
      supplement: false,
      sizeBytes: this.shrunk ? 10 : 1_000,
      members: 3,
      listSha256: 'a'.repeat(64),
    };
  }

  async #send({ id, fingerprint, sizeBytes }: SegmentPlan): Promise<SegmentResult> {
    this.#serial += 1;
    const suffix = this.#serial.toString(16).padStart(16, '0');
    const bytes = Buffer.from(`${fingerprint} ${suffix}`);
    const sealed = { suffix, sealedBytes: bytes.length, sealedSha256: 'b'.repeat(64) };
    await this.#place().put(segmentKey(lane, fingerprint, suffix), bytes);
    await this.#place().put(indexKey(lane, fingerprint, suffix), bytes);
    return { id, plainBytes: sizeBytes, members: 3, vanished: 0, torn: 0, ...sealed, index: sealed };
  }

  /** One attempt of an activity, as Temporal runs it. */
  async #run<I, O>(step: (input: I) => Promise<O>, input: I): Promise<O> {
    const scheduled = Date.now() + this.temporalOffsetMs;
    const environment = new MockActivityEnvironment({ currentAttemptScheduledTimestampMs: scheduled }, { logger });
    return environment.run<[I], O, typeof step>(step, input);
  }
}
