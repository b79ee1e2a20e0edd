// Expiry of a lane: what it does in which order, what stands in its way, and what is left when it is ended.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { ExpiryResult } from '../../src/contract/expiry.ts';
import { workflowNames } from '../../src/contract/names.ts';
import { Bench, failureOf, type Handle } from './bench.ts';
import { bundleId, type FakeLane } from './fake-lane.ts';

vi.setConfig({ maxConcurrency: 8 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

const toBury = [{ bundle: bundleId, manifestSha256: 'a'.repeat(64) }];
const due = ['20261101T031500Z-00000001'];

function expire({ name }: FakeLane, input: object = {}): Promise<Handle<ExpiryResult>> {
  return bench.start(workflowNames.expireBundles, { lane: name, ...input });
}

/** A lane with one bundle to give up and one to remove. */
function laneWithTwo(name: string): FakeLane {
  return Object.assign(bench.lane(name), { toBury, due });
}

const steps = ['planExpiry', 'removeExpired', 'buryBundles'];
const stepsOf = (lane: FakeLane): string[] => lane.order.filter((step) => steps.includes(step));

describe.concurrent('expiry', () => {
  it('removes what is due, sets tombstones, and answers with counts and the zone of the host', async () => {
    const lane = laneWithTwo('expires');
    const result = await (await expire(lane)).result();
    expect(result).toMatchObject({
      lane: 'expires',
      dryRun: false,
      timeZone: 'Asia/Tokyo',
      stores: [{ store: 'primary', standsStill: null, removedBundles: due, removedObjects: 2, buried: 1 }],
    });
    expect(stepsOf(lane)).toEqual(steps);
    expect(lane).toMatchObject({ buried: [bundleId], gateway: 'running', violations: [] });
  });

  it('asks the host for its zone when the fleet file does not say it', async () => {
    const lane = laneWithTwo('asks');
    const { timeZone: _, ...spec } = lane.spec;
    lane.spec = spec;
    lane.survey = { ...lane.survey, timeZone: 'America/New_York' };
    expect(await (await expire(lane)).result()).toMatchObject({ timeZone: 'America/New_York' });
    expect(lane.calls.find(({ step }) => step === 'planExpiry')?.input).toMatchObject({ timeZone: 'America/New_York' });
  });

  it.each([
    ['a dry run', { dryRun: true }, null],
    ['a suspect lane', {}, 'bundle … is suspect'],
  ] as const)('of %s changes nothing', async (what, input, standsStill) => {
    const lane = Object.assign(laneWithTwo(what.replaceAll(' ', '-')), { standsStill });
    const result = await (await expire(lane, input)).result();
    expect(result.stores).toMatchObject([{ standsStill, buried: 0, removedBundles: [], removedObjects: 0 }]);
    expect(stepsOf(lane)).toEqual(['planExpiry']);
    expect(lane.buried).toEqual([]);
  });

  it.each(['planExpiry', 'removeExpired', 'buryBundles'] as const)(
    'goes on when the worker dies in %s, and when its answer is lost',
    async (step) => {
      const lane = laneWithTwo(`dies-${step.toLowerCase()}`).told(step, { kind: 'lose', to: 2 });
      expect(await (await expire(lane)).result()).toMatchObject({ stores: [{ buried: 1 }] });
      expect(lane.count(step)).toBe(3);
      expect(new Set(lane.buried)).toEqual(new Set([bundleId]));
    },
  );

  it('sets no tombstone when a manifest cannot be used', async () => {
    const lane = laneWithTwo('damaged').told('removeExpired', {
      kind: 'fail',
      code: 'BundleDamaged',
      message: 'wrong',
    });
    expect(await failureOf(await expire(lane))).toMatchObject({ code: 'BundleDamaged' });
    expect(lane.buried).toEqual([]);
  });

  it('ends when it is cancelled in the middle, and leaves the lane to the next', async () => {
    const lane = laneWithTwo('cancelled').told('removeExpired', { kind: 'block', to: 1 });
    const handle = await expire(lane);
    await lane.reached('removeExpired');
    await handle.cancel();
    expect(await failureOf(handle)).toMatchObject({ code: 'Cancelled' });
    expect(lane.buried).toEqual([]);
    expect(await (await expire(lane, { waitMs: 0 })).result()).toMatchObject({ stores: [{ buried: 1 }] });
  });

  it('is done one at a time, and gives way to a restore', async () => {
    const lane = laneWithTwo('twice').told('removeExpired', { kind: 'block', to: 1 });
    const first = await expire(lane);
    await lane.reached('removeExpired');
    expect(await failureOf(await expire(lane, { waitMs: 0 }))).toMatchObject({ code: 'LaneBusy' });
    expect(await failureOf(await bench.backup(lane, { waitMs: 0 }))).toMatchObject({ code: 'LaneBusy' });
    expect(await (await bench.restore(lane, { waitMs: 0 })).result()).toMatchObject({ messageAnswered: true });
    expect(await failureOf(first)).toMatchObject({ code: 'Cancelled' });
  });
});
