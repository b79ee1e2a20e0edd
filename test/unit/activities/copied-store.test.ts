// A bundle in two stores, read as one: whichever is gone, silent, or has damaged what is read, before or while it is.

import { rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copySegmentsStep } from '../../../src/activities/copy/copy-segments.ts';
import { commitReplicaStep } from '../../../src/activities/copy/commit-replica.ts';
import { fromCopies } from '../../../src/activities/copied-store.ts';
import { readWhole } from '../../../src/activities/read-whole.ts';
import { checkBundlesStep } from '../../../src/activities/restore/check-bundles.ts';
import { chooseBundlesStep } from '../../../src/activities/restore/choose-among-copies.ts';
import { openStored } from '../../../src/activities/restore/open-stored.ts';
import { sha256Hex } from '../../../src/bundle/digest.ts';
import { manifestKey } from '../../../src/bundle/object-keys.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { limits } from '../../../src/domain/limits.ts';
import { golden } from '../../golden/make.ts';
import { GoldenStores, runStep } from './golden-stores.ts';

const both = { store: 'primary', replica: 'far' };
const manifest = manifestKey(golden.lane, golden.bundle);

let stores: GoldenStores;
beforeEach(async () => {
  stores = new GoldenStores();
  const copy = { ...golden, from: 'primary', to: 'far' };
  await runStep(copySegmentsStep(stores.deps), { ...copy, segments: stores.manifest.segments.map(({ id }) => id) });
  await runStep(commitReplicaStep(stores.deps), copy);
});
afterEach(() => stores.remove());

const choose = ({ attempt = 1, ...more } = {}) =>
  runStep(
    chooseBundlesStep(stores.deps),
    { fleet: golden.fleet, lane: golden.lane, ...both, layered: false, ...more },
    { attempt },
  );

function check() {
  const segments = stores.manifest.segments.map(({ id, component, kind, supplement, plainBytes }) => ({
    bundle: golden.bundle,
    id,
    component,
    kind,
    supplement,
    plainBytes,
  }));
  return runStep(checkBundlesStep(stores.deps), { ...golden, ...both, segments, secrets: [] });
}

/** Reads a segment as a restore does. @returns its digest, and which store gave it */
function read(id: string) {
  const signal = new AbortController().signal;
  return fromCopies(stores.deps, both, async (deps, copies, round) => {
    const segment = { bundle: golden.bundle, id };
    const stored = await openStored(deps, { ...golden, store: 'primary', segment, signal });
    return { digest: sha256Hex(await readWhole(await stored.plain())), from: copies.gave.get(stores.key(id)), round };
  });
}

describe('the choice of a bundle', () => {
  it('reads the primary where it answers', async () => {
    expect(await choose()).toMatchObject({ bundle: golden.bundle, copies: both, warnings: [] });
  });

  it('waits some attempts for a silent primary, for the replica may lack the newest, then takes the replica and says so', async () => {
    stores.lose('primary');
    await expect(choose()).rejects.toMatchObject({ type: 'StoreUnreachable', nonRetryable: false });
    await expect(choose({ attempt: limits.storeTries - 1 })).rejects.toMatchObject({ type: 'StoreUnreachable' });
    expect(await choose({ attempt: limits.storeTries })).toMatchObject({
      bundle: golden.bundle,
      copies: { store: 'far', replica: 'primary' },
      warnings: [expect.stringContaining('store primary does not answer')],
    });
  });

  it('does not wait for a primary that refuses', async () => {
    rmSync(stores.path('primary', '.clawback-store'));
    for (const folder of ['manifests', 'segments', 'indexes'])
      rmSync(stores.path('primary', `${golden.lane}/${folder}`), { recursive: true });
    rmSync(stores.path('primary', golden.lane), { recursive: true });
    expect(await choose()).toMatchObject({ copies: { store: 'far', replica: 'primary' } });
  });

  it.each([
    ['is only in the replica', () => rmSync(stores.path('primary', manifest))],
    ['has a damaged manifest in the primary', () => stores.damage('primary', manifest)],
  ])('takes one that %s', async (_what, spoil) => {
    spoil();
    const taken = { bundle: golden.bundle, copies: { store: 'far', replica: 'primary' } };
    expect(await choose()).toMatchObject({ ...taken, warnings: [expect.stringContaining('has no good manifest')] });
    expect(await choose({ bundle: golden.bundle } as object)).toMatchObject(taken);
  });

  it('does not mind a silent replica', async () => {
    stores.lose('far');
    expect(await choose()).toMatchObject({ copies: both, warnings: [] });
  });

  it('calls both silent, not empty, when neither answers', async () => {
    stores.lose('primary');
    stores.lose('far');
    await expect(choose({ attempt: 9 })).rejects.toMatchObject({ type: 'StoreUnreachable', nonRetryable: false });
  });
});

describe('a segment', () => {
  it('comes from the primary, and from the replica once the primary is gone', async () => {
    const first = await read('s-0001');
    expect(first.from).toBe('primary');
    stores.lose('primary');
    expect(await read('s-0001')).toEqual({ ...first, from: 'far' });
  });

  it('comes from the replica where the primary lacks it, or has it damaged', async () => {
    const before = await read('s-0002');
    stores.damage('primary', stores.key('s-0002'));
    expect(await read('s-0002')).toEqual({ ...before, from: 'far', round: 1 });
    rmSync(stores.path('primary', stores.key('s-0002')));
    expect(await read('s-0002')).toEqual({ ...before, from: 'far' });
  });

  it('comes from the replica when the primary falls silent in the middle of it', async () => {
    const before = await read('s-0001');
    stores.twist('primary', (store) => ({
      get: async (key, options) =>
        key.includes('/segments/') ? breaking(await store.get(key, options)) : store.get(key, options),
    }));
    expect(await read('s-0001')).toEqual({ ...before, from: 'far', round: 1 });
  });

  it('of which neither has good bytes is damaged', async () => {
    for (const store of ['primary', 'far']) stores.damage(store, stores.key('s-0001'));
    await expect(read('s-0001')).rejects.toMatchObject({ code: 'BundleDamaged' });
  });
});

describe('the check before a restore', () => {
  it('passes on either copy', async () => {
    const whole = await check();
    stores.lose('primary');
    expect(await check()).toEqual(whole);
  });

  it('passes where the primary has lost a part', async () => {
    rmSync(stores.path('primary', stores.key('s-0003')));
    expect((await check()).members).toBeGreaterThan(0);
  });

  it('names what both have lost', async () => {
    for (const store of ['primary', 'far']) rmSync(stores.path(store, stores.key('s-0003')));
    await expect(check()).rejects.toMatchObject({ type: 'ObjectMissing', message: expect.stringContaining('s-0003') });
  });
});

function breaking(source: Readable): Readable {
  return Readable.from(
    (async function* () {
      for await (const chunk of source) {
        yield (chunk as Buffer).subarray(0, 10);
        throw new Failure('StoreUnreachable', 'it fell silent');
      }
    })(),
  );
}
