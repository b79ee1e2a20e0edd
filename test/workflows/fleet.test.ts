// Many lanes in one run: side by side under one clock, none stopped by another, all put right when it is cancelled.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { FleetProgress, FleetResult } from '../../src/contract/fleet-run.ts';
import { searchAttributes, workflowNames } from '../../src/contract/names.ts';
import { progressQuery } from '../../src/contract/results.ts';
import { Bench, failureOf, type Handle, statusOf, waitUntil } from './bench.ts';
import { bundleId, type FakeLane } from './fake-lane.ts';
import { messageOfFailing } from './fake-steps.ts';

vi.setConfig({ maxConcurrency: 6 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

function lanesOf(prefix: string, count: number): FakeLane[] {
  return Array.from({ length: count }, (_, at) => bench.lane(`${prefix}-${at + 1}`));
}

function backupOf(lanes: readonly FakeLane[], more: object = {}): Promise<Handle<FleetResult>> {
  return bench.start(workflowNames.backupFleet, { lanes: lanes.map(({ name }) => name), tier: 'B', ...more });
}

function restoreOf(lanes: readonly FakeLane[], more: object = {}): Promise<Handle<FleetResult>> {
  return bench.start(workflowNames.restoreFleet, { lanes: lanes.map(({ name }) => name), ...more });
}

async function progressOf(handle: Handle<unknown>): Promise<FleetProgress> {
  return handle.query<FleetProgress, []>(progressQuery);
}

function expectAsItWas(lane: FakeLane): void {
  expect(lane).toMatchObject({ tree: 'old', secrets: 'old', gateway: 'running', journal: null, violations: [] });
}

function expectRestored(lane: FakeLane): void {
  expect(lane).toMatchObject({ tree: 'new', secrets: 'new', gateway: 'running', restored: true, violations: [] });
}

async function verdictOf(handle: Handle<unknown>): Promise<string | undefined> {
  return (await handle.describe()).typedSearchAttributes.get(searchAttributes.verdict);
}

describe.concurrent('a fleet run', () => {
  it('backs lanes up side by side, each by its own workflow, and sets the whole against the sum', async () => {
    const lanes = lanesOf('beside', 3);
    for (const lane of lanes) lane.told('backupSegment', { kind: 'block', to: 1 });
    const handle = await backupOf(lanes);
    await Promise.all(lanes.map((lane) => lane.reached('backupSegment')));
    const running = await progressOf(handle);
    expect(running.lanes.map(({ phase }) => phase)).toEqual(['running', 'running', 'running']);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    for (const lane of lanes) lane.release('backupSegment');
    const result = await handle.result();
    expect(result.lanes).toMatchObject(
      lanes.map(({ name }) => ({
        lane: name,
        outcome: 'ok',
        after: 'backed up',
        bundle: expect.stringMatching(/^\d{8}T\d{6}Z-/),
        workflowId: expect.stringMatching(new RegExp(`^backup/${name}/`)),
      })),
    );
    expect(new Set(result.lanes.map(({ bundle }) => bundle)).size).toBe(3);
    expect(result.counts).toEqual({ ok: 3, attention: 0, failed: 0, cancelled: 0 });
    expect(result.sequenceMs).toBe(result.lanes.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0));
    expect(result.wallMs).toBeLessThan(result.sequenceMs);
    expect(await verdictOf(handle)).toBe('ok');
  });

  it('restores lanes from the bundles that were measured, and tells the RTO of all under one clock', async () => {
    const lanes = lanesOf('together', 3);
    const handle = await restoreOf(lanes);
    const result = await handle.result();
    for (const lane of lanes) {
      expectRestored(lane);
      const asked = lane.calls.find(({ step }) => step === 'chooseBundles')?.input;
      expect(asked).toMatchObject({ bundle: bundleId });
    }
    expect(result.lanes.map(({ outcome, after, bundle }) => ({ outcome, after, bundle }))).toEqual(
      lanes.map(() => ({ outcome: 'ok', after: 'restored', bundle: bundleId })),
    );
    expect(result.rtoMs).toBe(Math.max(...result.lanes.map(({ rtoMs }) => rtoMs ?? 0)));
    expect(result.rtoMs).toBeLessThanOrEqual(result.wallMs);
  });

  it('takes the bundle that is named for a lane, and refuses one for a lane that is not chosen', async () => {
    const [lane] = lanesOf('named', 1) as [FakeLane];
    const named = { bundles: { [lane.name]: bundleId } };
    await (await restoreOf([lane], named)).result();
    expect(lane.calls.find(({ step }) => step === 'measureRestore')?.input).toMatchObject({ bundle: bundleId });
    const failure = await failureOf(await restoreOf([lane], { bundles: { other: bundleId } }));
    expect(failure).toMatchObject({ code: 'InvalidInput', message: 'bundles names lanes that were not chosen: other' });
  });

  it('plans without touching anything', async () => {
    const lanes = lanesOf('planned', 2);
    const { lanes: rows, rtoMs } = await (await restoreOf(lanes, { dryRun: true })).result();
    expect(rows).toMatchObject(lanes.map(() => ({ outcome: 'ok', after: 'planned', plan: { bundle: bundleId } })));
    expect(rtoMs).toBeNull();
    for (const lane of lanes) {
      expectAsItWas(lane);
      // unpinned, so that it says whether there is a newer bundle than the proven one
      expect(lane.calls.find(({ step }) => step === 'chooseBundles')?.input).not.toHaveProperty('bundle');
      expect(lane.count('openStage')).toBe(0);
    }
  });

  it('goes on when one lane fails, and says which, why and how it is now', async () => {
    const lanes = lanesOf('one-fails', 3);
    lanes[1]?.told('swapTrees', { kind: 'fail' });
    lanes[2]?.told('measureRestore', { kind: 'fail', code: 'NoRestorePoint' });
    const handle = await restoreOf(lanes);
    const result = await handle.result();
    expect(result.lanes.map(({ outcome, after, code }) => ({ outcome, after, code }))).toEqual([
      { outcome: 'ok', after: 'restored', code: null },
      { outcome: 'failed', after: 'as it was', code: 'HostOutputUnexpected' },
      { outcome: 'failed', after: 'untouched', code: 'NoRestorePoint' },
    ]);
    expect(result.lanes[1]?.message).toBe(messageOfFailing('swapTrees'));
    expect(result).toMatchObject({ rtoMs: null, counts: { ok: 1, failed: 2 } });
    expectRestored(lanes[0] as FakeLane);
    expectAsItWas(lanes[1] as FakeLane);
    expect(lanes[2]?.count('settleLane')).toBe(0);
    expect(await verdictOf(handle)).toBe('partial');
  });

  it('marks a suspect bundle, and a lane that answered after the RTO', async () => {
    const [suspect, late] = [bench.lane('of-suspicion'), bench.lane('too-late')];
    suspect.suspect = ['config shrank by half'];
    expect((await (await backupOf([suspect])).result()).lanes).toMatchObject([
      { outcome: 'attention', remarks: ['config shrank by half'] },
    ]);
    late.spec = { ...late.spec, budgets: { ...late.spec.budgets, rtoMs: 1 } };
    const handle = await restoreOf([late]);
    const result = await handle.result();
    expect(result.lanes[0]).toMatchObject({ outcome: 'attention', after: 'restored' });
    expect(result.lanes[0]?.remarks).toContain('answered later than the RTO, by the clock of the whole run');
    expect((await progressOf(handle)).overBudget).toHaveLength(1);
  });

  it('leaves a lane that waited for its turn to the run that restored it meanwhile', async () => {
    const [first, queued] = lanesOf('two-runs', 2) as [FakeLane, FakeLane];
    first.caps = { ...first.caps, lanesAtOnce: 1 };
    queued.lastRestore = '20261101T000000Z-00000000';
    first.told('stageSegment', { kind: 'block', to: 1 });
    const slow = await restoreOf([first, queued]);
    await first.reached('stageSegment');
    const other = await (await bench.restore(queued)).result();
    expect(other.messageAnswered).toBe(true);
    const theirs = queued.lastRestore;
    first.release('stageSegment');
    const { lanes: rows } = await slow.result();
    expect(rows).toMatchObject([
      { outcome: 'ok', after: 'restored' },
      { outcome: 'failed', after: 'untouched', code: 'RestoredMeanwhile' },
    ]);
    expect(rows[1]?.message).toContain(`was restored by ${theirs} since this run looked at it first`);
    expect(queued.lastRestore).toBe(theirs);
    expect(queued.count('stopWriters')).toBe(1);
    // a lane that was restored before the run began is restored again, for that is what was asked
    expect((await (await restoreOf([queued])).result()).counts.ok).toBe(1);
  });

  it('is cancelled with all its lanes, and ends when each is put right; who waited is not touched', async () => {
    const lanes = lanesOf('cancelled', 3) as [FakeLane, FakeLane, FakeLane];
    lanes[0].caps = { ...lanes[0].caps, lanesAtOnce: 2 };
    lanes[0].told('rehydrateSecrets', { kind: 'block' });
    lanes[1].told('stageSegment', { kind: 'block' });
    const handle = await restoreOf(lanes);
    await Promise.all([lanes[0].reached('rehydrateSecrets'), lanes[1].reached('stageSegment')]);
    await handle.cancel();
    expect(await failureOf(handle)).toMatchObject({ code: 'Cancelled' });
    expect(await statusOf(handle)).toBe('CANCELLED');
    for (const lane of lanes) expectAsItWas(lane);
    expect(lanes[0].stage).toBeNull();
    expect(lanes[1].stage).toBeNull();
    expect(lanes[2].count('settleLane')).toBe(0);
    const { lanes: rows } = await progressOf(handle);
    expect(rows.map(({ phase }) => phase)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  });

  it('puts its lanes right when it is terminated', async () => {
    const lanes = lanesOf('terminated', 2);
    for (const lane of lanes) lane.told('rehydrateSecrets', { kind: 'block' });
    const handle = await restoreOf(lanes);
    await Promise.all(lanes.map((lane) => lane.reached('rehydrateSecrets')));
    await handle.terminate();
    await waitUntil('both lanes are put right', () => lanes.every((lane) => lane.journal === null));
    for (const lane of lanes) expectAsItWas(lane);
  });

  it('goes on when one lane alone is cancelled', async () => {
    const lanes = lanesOf('leaves-one', 2) as [FakeLane, FakeLane];
    lanes[0].told('rehydrateSecrets', { kind: 'block' });
    const handle = await restoreOf(lanes);
    await lanes[0].reached('rehydrateSecrets');
    const [first] = (await progressOf(handle)).lanes;
    await bench.handle(first?.workflowId ?? '').cancel();
    expect((await handle.result()).lanes).toMatchObject([
      { outcome: 'cancelled', after: 'as it was', code: 'Cancelled' },
      { outcome: 'ok', after: 'restored' },
    ]);
    expectAsItWas(lanes[0]);
  });

  it('leaves a lane that another run restores to it, and names that', async () => {
    const lanes = lanesOf('twice', 2) as [FakeLane, FakeLane];
    lanes[0].told('rehydrateSecrets', { kind: 'block', to: 1 });
    const first = await restoreOf(lanes);
    await lanes[0].reached('rehydrateSecrets');
    const second = await (await restoreOf([lanes[0]])).result();
    expect(second.lanes).toMatchObject([{ outcome: 'failed', after: 'untouched', code: 'LaneBusy' }]);
    expect(second.lanes[0]?.message).toMatch(/^lane twice-1 is held by lane\/test-fleet\/twice-1, restore since /);
    lanes[0].release('rehydrateSecrets');
    expect((await first.result()).counts).toMatchObject({ ok: 2 });
    expectRestored(lanes[0]);
  });

  it('refuses a lane whose worker holds another fleet file than the run saw', async () => {
    const lanes = lanesOf('changed', 2) as [FakeLane, FakeLane];
    lanes[0].seenDigest = 'e0'.repeat(32);
    const { lanes: rows, fleetDigest } = await (await backupOf(lanes)).result();
    expect(fleetDigest).toBe(lanes[0].seenDigest);
    expect(rows).toMatchObject(lanes.map(() => ({ code: 'FleetChanged', after: 'untouched' })));
    expect(lanes[0].count('captureLane')).toBe(0);
  });
});

describe.concurrent('the caps of a fleet run', () => {
  /** The most lanes that were between their first and their last step at the same time. */
  function watched(lanes: readonly FakeLane[]): () => number {
    const state = { most: 0 };
    const inside = (): number =>
      lanes.filter((lane) => lane.count('captureLane') > 0 && lane.count('tidyLane') === 0).length;
    const timer = setInterval(() => (state.most = Math.max(state.most, inside())), 5);
    return () => {
      clearInterval(timer);
      return state.most;
    };
  }

  it('bound the lanes at the same time', async () => {
    const lanes = lanesOf('few', 5);
    (lanes[0] as FakeLane).caps = { lanesAtOnce: 2, streamsAtOnce: 64, streamsPerHost: 8 };
    const most = watched(lanes);
    const { counts, lanes: rows } = await (await backupOf(lanes)).result();
    expect(most()).toBeLessThanOrEqual(2);
    expect(counts.ok).toBe(5);
    expect(rows[4]?.waitedMs).toBeGreaterThan(rows[0]?.waitedMs ?? 0);
  });

  it('leave each lane its share of the streams, and make lanes wait when there is not one for each', async () => {
    const lanes = lanesOf('narrow', 3);
    (lanes[0] as FakeLane).caps = { lanesAtOnce: 100, streamsAtOnce: 64, streamsPerHost: 2 };
    const most = watched(lanes);
    const { counts, lanes: rows } = await (await backupOf(lanes)).result();
    expect(counts.ok).toBe(3);
    expect(most()).toBeLessThanOrEqual(2);
    for (const { workflowId } of rows) {
      const history = await bench.handle(workflowId ?? '').fetchHistory();
      const input = history.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
      expect(JSON.parse(Buffer.from(input ?? []).toString())).toMatchObject({ streams: 1 });
    }
  });
});

describe.concurrent('the room of a volume that lanes share', () => {
  function sharing(prefix: string, freeBytes: number, count = 2): FakeLane[] {
    const lanes = lanesOf(prefix, count);
    for (const lane of lanes) lane.room = { ...lane.room, volume: '/dev/disk3', freeBytes };
    return lanes;
  }

  it('takes lanes side by side when it holds them all', async () => {
    const lanes = sharing('roomy', 24_000);
    for (const lane of lanes) lane.told('stageSegment', { kind: 'block', to: 1 });
    const handle = await restoreOf(lanes);
    await Promise.all(lanes.map((lane) => lane.reached('stageSegment')));
    for (const lane of lanes) lane.release('stageSegment');
    const result = await handle.result();
    expect(result.counts.ok).toBe(2);
    expect(result.volumes).toEqual([
      {
        host: 'mac-1',
        volume: '/dev/disk3',
        lanes: lanes.map(({ name }) => name),
        freeBytes: 24_000,
        neededBytes: 24_000,
      },
    ]);
  });

  it('makes them wait for each other when it holds one at a time, and measures again before the next', async () => {
    const lanes = sharing('in-turn', 23_999) as [FakeLane, FakeLane];
    lanes[0].told('stageSegment', { kind: 'block', to: 1 });
    const handle = await restoreOf(lanes);
    await lanes[0].reached('stageSegment');
    expect((await progressOf(handle)).lanes.map(({ phase }) => phase)).toEqual(['running', 'waiting']);
    // the old tree was gone: less is taken than was feared
    lanes[1].room = { ...lanes[1].room, freeBytes: 12_000 };
    lanes[0].release('stageSegment');
    expect((await handle.result()).counts.ok).toBe(2);
    expect(lanes[1].count('measureRestore')).toBe(2);
    expect(lanes[0].calls.some(({ step }) => step === 'commitRestore')).toBe(true);
  });

  it('refuses the second, untouched, when the first has taken the room', async () => {
    const lanes = sharing('taken', 20_000) as [FakeLane, FakeLane];
    lanes[0].told('stageSegment', { kind: 'block', to: 1 });
    const handle = await restoreOf(lanes);
    await lanes[0].reached('stageSegment');
    lanes[1].room = { ...lanes[1].room, freeBytes: 8_000 };
    lanes[0].release('stageSegment');
    const { lanes: rows } = await handle.result();
    expect(rows[1]).toMatchObject({ outcome: 'failed', after: 'untouched', code: 'DiskTooFull' });
    expect(rows[1]?.message).toBe('the volume of lane taken-2 has 8000 bytes free, the staging tree needs 12000');
    expect(lanes[1].count('settleLane')).toBe(0);
  });

  it('goes to the second when the first fails and gives it back', async () => {
    const lanes = sharing('given-back', 20_000) as [FakeLane, FakeLane];
    lanes[0].told('swapTrees', { kind: 'fail' });
    const { lanes: rows } = await (await restoreOf(lanes)).result();
    expect(rows.map(({ outcome }) => outcome)).toEqual(['failed', 'ok']);
    expect(lanes[1].count('measureRestore')).toBe(1);
  });

  it('refuses at once what it cannot hold even alone', async () => {
    const lanes = sharing('too-small', 11_999, 1) as [FakeLane];
    const { lanes: rows } = await (await restoreOf(lanes)).result();
    expect(rows[0]).toMatchObject({ outcome: 'failed', after: 'untouched', code: 'DiskTooFull', workflowId: null });
    expect(lanes[0].count('measureRestore')).toBe(1);
  });
});
