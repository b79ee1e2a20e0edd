// What a look at recovery points sees of a real store with the golden bundle in it, and what it asks of the store.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../../src/activities/deps.ts';
import { lookAtRpoStep } from '../../../src/activities/rpo/look-at-rpo.ts';
import { manifestKey } from '../../../src/bundle/object-keys.ts';
import { golden } from '../../golden/make.ts';
import { GoldenStores, runStep } from './golden-stores.ts';

const day = 24 * 3600 * 1000;
const rules = { graceMs: 3 * 3600 * 1000, remindEveryMs: day / 2 };

let stores: GoldenStores;
let asked: string[];
beforeEach(() => {
  stores = new GoldenStores();
  asked = [];
});
afterEach(() => stores.remove());

/** @param others lanes of the same store that have no bundle */
function look(others: readonly string[] = [], classTwoMs: number | null = 7 * day) {
  stores.twist('primary', (store) => ({
    list: (prefix, options) => {
      asked.push(`list ${prefix}`);
      return store.list(prefix, options);
    },
    get: (key, options) => {
      asked.push(`get ${key}`);
      return store.get(key, options);
    },
  }));
  const fleet = {
    name: golden.fleet,
    lanes: [golden.lane, ...others],
    rpoRules: rules,
    classTwoRpoMs: () => classTwoMs,
    laneSpec: () => ({ store: 'primary', rpoMs: day }),
  } as unknown as Deps['fleet'];
  const hooks = { kinds: ['alert'], resolve: async () => undefined } as const;
  return runStep(lookAtRpoStep({ ...stores.deps, fleet, hooks }), {});
}

const sights = (lane: string, capturedAtMs: number | null) => [
  { lane, dataClass: 1, objectiveMs: day, capturedAtMs },
  { lane, dataClass: 2, objectiveMs: 7 * day, capturedAtMs },
];

describe('a look at recovery points', () => {
  it('sees when the newest bundle that holds each class was captured, with one LIST a lane and no more manifests', async () => {
    const capturedAtMs = Date.parse(stores.manifest.capturedAt);
    expect(await look(['lane-9'])).toEqual({
      fleet: golden.fleet,
      rules,
      alerts: true,
      sights: [...sights(golden.lane, capturedAtMs), ...sights('lane-9', null)],
      unseen: [],
    });
    expect(asked.toSorted()).toEqual([
      `get ${manifestKey(golden.lane, golden.bundle)}`,
      `list ${golden.lane}/manifests/`,
      'list lane-9/manifests/',
    ]);
  });

  it('counts no bundle whose manifest fails its check', async () => {
    stores.damage('primary', manifestKey(golden.lane, golden.bundle));
    expect(await look()).toMatchObject({ sights: sights(golden.lane, null), unseen: [] });
  });

  it('judges class 2 only where something is scheduled that holds it', async () => {
    const { sights: seen } = await look([], null);
    expect(seen.map(({ dataClass }) => dataClass)).toEqual([1]);
  });

  it('tells lanes whose store is silent, and sees the rest', async () => {
    stores.lose('primary');
    const { sights: seen, unseen } = await look();
    expect(seen).toEqual(sights(golden.lane, null));
    expect(unseen).toEqual([{ lane: golden.lane, code: 'StoreUnreachable' }]);
  });
});
