// A verification: what is wrong is its answer, not its failure; what it found is kept; it enters no section.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { workflowNames } from '../../src/contract/names.ts';
import type { VerifyResult } from '../../src/contract/verify.ts';
import { Bench, failureOf, statusOf } from './bench.ts';
import { bundleId, type FakeLane } from './fake-lane.ts';

vi.setConfig({ maxConcurrency: 12 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

const verify = (lane: FakeLane, input: object = {}) =>
  bench.start<VerifyResult>(workflowNames.verifyBundle, { lane: lane.name, ...input });

describe.concurrent('a verification', () => {
  it('reads what was planned, checks databases, and keeps what it opened', async () => {
    const lane = bench.lane('verified');
    const result = await (await verify(lane)).result();
    expect(result).toMatchObject({
      segments: 3,
      opened: 2,
      members: 9,
      readBytes: 2_100,
      faults: [],
      databases: { checked: 1 },
      live: { state: 'compared', compared: 5 },
      coverage: { compared: 2 },
    });
    expect(lane.findings).toMatchObject([
      {
        opened: [{ bundle: bundleId, segments: ['s-0001', 's-0002'] }, { segments: [] }],
        compared: [{ bundle: bundleId, segments: ['s-0001', 's-0003'] }],
        bad: [],
      },
    ]);
    expect(lane.count('settleLane')).toBe(0);
  });

  it('answers with what is wrong, and keeps it for the next backup', async () => {
    const lane = bench.lane('found-bad');
    const about = { bundle: bundleId, component: 'workspace', object: 'segment', store: 'primary' } as const;
    lane.verifyFaults = [{ ...about, segment: 's-0002', what: 'damaged' }];
    lane.verifyPlan = { ...lane.verifyPlan, faults: [{ ...about, segment: 's-0009', what: 'missing' }] };
    const result = await (await verify(lane)).result();
    expect(result.faults.map(({ segment, what }) => [segment, what])).toEqual([
      ['s-0009', 'missing'],
      ['s-0002', 'damaged'],
    ]);
    expect(lane.findings[0]).toMatchObject({
      opened: [{ segments: ['s-0001'] }, { segments: [] }],
      bad: [{ segment: 's-0009' }, { segment: 's-0002' }],
    });
    expect(lane.toldOnLane.map(({ segment }) => segment)).toEqual(['s-0009', 's-0002']);
  });

  it('compares batch after batch, and counts as compared what the lane answered for', async () => {
    const lane = bench.lane('silent-lane');
    const batch = (segment: string) => ({ bundle: bundleId, segments: [segment], plainBytes: 1_000 });
    lane.verifyPlan = { ...lane.verifyPlan, compare: ['s-0001', 's-0002', 's-0003'].map(batch) };
    lane.unchecked = [{ bundle: bundleId, segment: 's-0002', sizeBytes: 9e9 }];
    const result = await (await verify(lane)).result();
    expect(result).toMatchObject({ live: { state: 'compared', compared: 15, changed: 6 } });
    expect(result.databases.unchecked).toEqual(lane.unchecked);
    expect(lane.namedOnLane).toEqual(lane.unchecked); // once
    lane.live = { state: 'silent', compared: 0, changed: 0, different: 0 };
    const before = lane.count('compareLane');
    expect((await (await verify(lane)).result()).live.state).toBe('silent');
    expect(lane.count('compareLane')).toBe(before + 1);
    expect(lane.findings.map(({ compared }) => compared.length)).toEqual([3, 0]);
  });

  it('keeps what it found in the store although the comparison fails', async () => {
    const lane = bench.lane('unlistable').told('compareLane', { kind: 'fail', code: 'StoreRefused' });
    expect(await failureOf(await verify(lane))).toMatchObject({ code: 'StoreRefused' });
    expect(lane.findings).toMatchObject([{ opened: [{ segments: ['s-0001', 's-0002'] }, {}], compared: [] }]);
  });

  it('reads the replica when asked to, and no store that is not of the lane', async () => {
    const lane = bench.lane('of-replica');
    lane.spec = { ...lane.spec, replica: 'far' };
    expect(await (await verify(lane, { store: 'far' })).result()).toMatchObject({ store: 'far' });
    expect(await failureOf(await verify(lane, { store: 'other' }))).toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('primary, far'),
    });
  });

  it('repeats a step whose worker died, and fails when the store stays silent', async () => {
    const lane = bench
      .lane('verify-again')
      .told('verifySegments', { kind: 'lose', attempts: 1 })
      .told('recordVerification', { kind: 'lose', attempts: 1 });
    expect((await (await verify(lane)).result()).faults).toEqual([]);
    const silent = bench.lane('verify-silent').told('planVerification', { kind: 'fail', code: 'StoreRefused' });
    expect(await failureOf(await verify(silent))).toMatchObject({ code: 'StoreRefused' });
    expect(silent.findings).toEqual([]);
  });

  it('ends when it is cancelled, and keeps nothing half', async () => {
    const lane = bench.lane('verify-cancelled').told('verifySegments', { kind: 'block' });
    const handle = await verify(lane);
    await lane.reached('verifySegments');
    await handle.cancel();
    await failureOf(handle);
    expect(await statusOf(handle)).toBe('CANCELLED');
    expect(lane.findings).toEqual([]);
  });
});
