// Copying a bundle to a replica: real stores, the golden bundle, and everything that can be wrong with either side.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitReplicaStep } from '../../../src/activities/copy/commit-replica.ts';
import { copyReceiptsStep } from '../../../src/activities/copy/copy-receipts.ts';
import { copySegmentsStep } from '../../../src/activities/copy/copy-segments.ts';
import { listUncopiedStep, planReplicaStep } from '../../../src/activities/copy/plan-replica.ts';
import { sweepLaneStep } from '../../../src/activities/sweep-lane.ts';
import { encodeManifest } from '../../../src/bundle/manifest.ts';
import { manifestKey } from '../../../src/bundle/object-keys.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { limits } from '../../../src/domain/limits.ts';
import { signers } from '../../golden/keys.ts';
import { golden } from '../../golden/make.ts';
import { GoldenStores, runStep } from './golden-stores.ts';

const copy = { ...golden, from: 'primary', to: 'far' };
const manifest = manifestKey(golden.lane, golden.bundle);

let stores: GoldenStores;
beforeEach(() => {
  stores = new GoldenStores();
});
afterEach(() => stores.remove());

const plan = () => runStep(planReplicaStep(stores.deps), copy);
const send = (segments: readonly string[], options = {}) =>
  runStep(copySegmentsStep(stores.deps), { ...copy, segments }, options);
const commit = () => runStep(commitReplicaStep(stores.deps), copy);
const all = () => stores.manifest.segments.map(({ id }) => id);

async function copyWhole(): Promise<void> {
  await send(all());
  await commit();
}

describe('a copy', () => {
  it('has every object byte for byte, and the manifest last', async () => {
    const { batches, presentObjects, faults } = await plan();
    expect({ segments: batches.flatMap(({ segments }) => segments), presentObjects, faults }).toEqual({
      segments: all(),
      presentObjects: 0,
      faults: [],
    });
    expect(await send(all())).toMatchObject({ sentObjects: 2 * all().length, presentObjects: 0, faults: [] });
    expect(Object.keys(stores.objects('far'))).not.toContain(manifest);
    expect(await runStep(listUncopiedStep(stores.deps), copy)).toEqual([golden.bundle]);
    expect(await commit()).toMatchObject({ sentObjects: 1 });
    expect(stores.objects('far')).toEqual(stores.objects('primary'));
    expect(await runStep(listUncopiedStep(stores.deps), copy)).toEqual([]);
  });

  it('may be repeated, whole or in part, and sends nothing twice', async () => {
    await send(all().slice(0, 3));
    expect(await send(all())).toMatchObject({
      sentObjects: 2 * (all().length - 3),
      presentObjects: 6,
      faults: [],
    });
    await commit();
    expect(await commit()).toEqual({ sentObjects: 0, sentBytes: 0, presentObjects: 1 });
    expect(await send(all())).toMatchObject({ sentObjects: 0, sentBytes: 0, faults: [] });
  });

  it('takes receipts along, and none twice', async () => {
    const key = `${golden.lane}/receipts/${golden.bundle}.json`;
    stores.damage('primary', key, () => Buffer.from('{}'));
    const step = copyReceiptsStep(stores.deps);
    expect(await runStep(step, copy)).toEqual({ sentObjects: 1 });
    expect(stores.objects('far')[key]).toBe(stores.objects('primary')[key]);
    expect(await runStep(step, copy)).toEqual({ sentObjects: 0 });
  });

  it('leaves what is larger than any receipt where it lies', async () => {
    const key = `${golden.lane}/receipts/${golden.bundle}.json`;
    stores.damage('primary', key, () => Buffer.alloc(limits.receiptBytes + 1));
    expect(await runStep(copyReceiptsStep(stores.deps), copy)).toEqual({ sentObjects: 0 });
    expect(stores.objects('far')[key]).toBeUndefined();
  });

  it('takes an object whose put lost its answer for what it is', async () => {
    stores.twist('far', (store) => ({
      put: async (key, body, options) => {
        await store.put(key, body, options);
        throw new Failure('StoreUnreachable', 'the answer was lost');
      },
    }));
    await expect(send(['s-0001'])).rejects.toMatchObject({ type: 'StoreUnreachable', nonRetryable: false });
    stores.twist('far', () => ({}));
    expect(await send(['s-0001'], { attempt: 2 })).toMatchObject({ sentObjects: 1, presentObjects: 1, faults: [] });
  });

  it('names an object of another size at the replica in its plan, and never overwrites it', async () => {
    const key = stores.key('s-0002');
    stores.damage('far', key, (bytes) => bytes.subarray(1));
    const before = readFileSync(stores.path('far', key));
    expect((await plan()).faults).toEqual([
      expect.objectContaining({ segment: 's-0002', object: 'segment', what: 'damaged', store: 'far' }),
    ]);
    expect((await send(['s-0002'])).faults).toEqual([
      expect.objectContaining({ segment: 's-0002', object: 'segment', what: 'damaged', store: 'far' }),
    ]);
    expect(readFileSync(stores.path('far', key))).toEqual(before);
    await expect(commit()).rejects.toMatchObject({ type: 'ReplicaDamaged' });
  });

  it('reads a foreign object of the right size before it believes it', async () => {
    stores.damage('far', stores.key('s-0002', 'index'));
    expect((await plan()).batches.flatMap(({ segments }) => segments)).toContain('s-0002');
    expect((await send(['s-0002'])).faults).toEqual([
      expect.objectContaining({ segment: 's-0002', object: 'index', what: 'damaged', store: 'far' }),
    ]);
  });

  it('names what the source lacks or has damaged, and creates nothing of it', async () => {
    rmSync(stores.path('primary', stores.key('s-0001')));
    stores.damage('primary', stores.key('s-0003'));
    const { faults, sentObjects } = await send(['s-0001', 's-0003']);
    expect(faults.map(({ segment, what, store }) => [segment, what, store])).toEqual([
      ['s-0001', 'missing', 'primary'],
      ['s-0003', 'damaged', 'primary'],
    ]);
    expect(sentObjects).toBe(2);
    expect(Object.keys(stores.objects('far'))).toEqual(
      [stores.key('s-0001', 'index'), stores.key('s-0003', 'index')].toSorted(),
    );
  });

  it('refuses another manifest under the same name', async () => {
    await send(all());
    stores.damage('far', manifest);
    await expect(commit()).rejects.toMatchObject({ type: 'ReplicaDamaged' });
  });

  it('looks at everything again when a copied bundle is copied again', async () => {
    await copyWhole();
    rmSync(stores.path('far', stores.key('s-0004')));
    expect((await plan()).batches.flatMap(({ segments }) => segments)).toEqual(all());
    await copyWhole();
    expect(stores.objects('far')).toEqual(stores.objects('primary'));
  });

  it('looks at everything again also when more were copied since than are searched for what the replica has', async () => {
    await copyWhole();
    for (let at = 0; at < limits.manifestsSearched; at += 1) {
      const bundle = `20991122T0315${String(at).padStart(2, '0')}Z-0123abcd`;
      const later = encodeManifest({ ...stores.manifest, bundle }, signers.manifest);
      writeFileSync(stores.path('far', manifestKey(golden.lane, bundle)), later);
    }
    expect((await plan()).batches.flatMap(({ segments }) => segments)).toEqual(all());
  });

  it.each(['far', 'primary'])('is tried again while %s does not answer', async (name) => {
    stores.lose(name);
    await expect(send(all())).rejects.toMatchObject({ type: 'StoreUnreachable', nonRetryable: false });
  });

  it('ends within an object when it is cancelled, and leaves none half', async () => {
    const begun = Promise.withResolvers<void>();
    stores.twist('primary', (store) => ({
      get: async (key, options) => (key.includes('/manifests/') ? store.get(key, options) : endless(begun.resolve)),
    }));
    await expect(send(['s-0001'], { cancelAfter: begun.promise })).rejects.toMatchObject({ name: 'CancelledFailure' });
    expect(stores.objects('far')).toEqual({});
  });
});

/** Gives one byte and then waits for ever. */
function endless(onRead: () => void): Readable {
  let hasGiven = false;
  return new Readable({
    read() {
      if (!hasGiven) this.push(Buffer.from([1]));
      else onRead();
      hasGiven = true;
    },
  });
}

describe('a sweep of the replica', () => {
  const day = 24 * 3_600_000;
  const sweep = (minAgeMs = 0) =>
    runStep(sweepLaneStep(stores.deps), { ...golden, store: 'far', primary: 'primary', minAgeMs });

  it('leaves what a copy is writing, whatever age is asked for, and the copy then becomes whole', async () => {
    await send(all().slice(0, 3));
    expect(await sweep()).toMatchObject({ removedObjects: 0, keptObjects: 6, damaged: [] });
    await copyWhole();
    expect(await sweep()).toMatchObject({ removedObjects: 0, damaged: [] });
  });

  it('removes what a copy left of a bundle that its store has no more', async () => {
    await send(all().slice(0, 3));
    rmSync(stores.path('primary', manifest));
    expect(await sweep(day)).toMatchObject({ removedObjects: 0, keptObjects: 6 });
    expect(await sweep()).toMatchObject({ removedObjects: 6, keptObjects: 0 });
  });

  it('keeps every bundle that the replica alone has', async () => {
    await copyWhole();
    rmSync(stores.path('primary', manifest));
    expect(await sweep()).toMatchObject({ removedObjects: 0, damaged: [] });
  });

  it('never ends an upload that a running copy may have begun', async () => {
    const asked: number[] = [];
    stores.twist('far', () => ({
      sweepUploads: async (_lane, ageMs) => {
        asked.push(ageMs);
        return 0;
      },
    }));
    await sweep();
    await sweep(7 * day);
    expect(asked).toEqual([limits.sweepMinAgeMs, 7 * day]);
  });

  it('removes nothing while the store does not answer: what it names is not known', async () => {
    await send(all().slice(0, 3));
    stores.lose('primary');
    const before = stores.objects('far');
    await expect(sweep()).rejects.toMatchObject({ type: 'StoreUnreachable' });
    expect(stores.objects('far')).toEqual(before);
  });
});
