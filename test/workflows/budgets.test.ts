// Budgets and waits, on a server that skips time: minutes pass between two tries of a step that fails, in none. Time
// stands while an activity runs, so that each slow step here is one that fails again and again. A fresh server for
// each test: skipping is global to it.

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { SectionResult } from '../../src/contract/results.ts';
import type { LaneSpec } from '../../src/contract/lane-spec.ts';
import { Bench, failureOf, type Handle, statusOf } from './bench.ts';
import { bundleId, type FakeLane, wholeBundle } from './fake-lane.ts';
import { messageOfFailing } from './fake-steps.ts';

const minuteMs = 60_000;

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open({ server: 'skipping', program: inject('testServer'), bundle: inject('workflowBundle') });
});
afterEach(() => bench?.close());

const backup = { kind: 'backup', tier: 'A', bundle: bundleId } as const;
const restore = {
  kind: 'restore',
  restore: bundleId,
  layered: false,
  acceptVersion: false,
  into: 'live',
  dryRun: false,
} as const;

function withBudgets(
  lane: FakeLane,
  budgets: { readonly rtoMs?: number; readonly stepMs?: Partial<LaneSpec['budgets']['stepMs']> },
): FakeLane {
  const { rtoMs, stepMs } = lane.spec.budgets;
  lane.spec = { ...lane.spec, budgets: { rtoMs: budgets.rtoMs ?? rtoMs, stepMs: { ...stepMs, ...budgets.stepMs } } };
  return lane;
}

async function restoreOf(handle: Handle<SectionResult>) {
  const result = await handle.result();
  if (result.kind !== 'restore') throw new Error(`the section answered ${result.kind}`);
  return result.restore;
}

/** By the server's clock, from the first event to the last. */
async function lastedMs(handle: Handle): Promise<number> {
  const { events } = await handle.fetchHistory();
  const at = (event: NonNullable<typeof events>[number] | undefined): number =>
    Number(event?.eventTime?.seconds ?? Number.NaN);
  return 1_000 * (at(events?.at(-1)) - at(events?.[0]));
}

/** Timers that were started, and neither rang nor were cancelled. */
async function timersLeft(handle: Handle): Promise<number> {
  const { events } = await handle.fetchHistory();
  const count = (has: (event: NonNullable<typeof events>[number]) => unknown): number =>
    (events ?? []).filter(has).length;
  const started = count(({ timerStartedEventAttributes }) => timerStartedEventAttributes);
  expect(started).toBeGreaterThan(0);
  return (
    started -
    count(({ timerFiredEventAttributes }) => timerFiredEventAttributes) -
    count(({ timerCanceledEventAttributes }) => timerCanceledEventAttributes)
  );
}

describe('a step over its budget', () => {
  it('is told at once in progress and details, and in the end in the result; the restore finishes', async () => {
    const lane = bench.lane('slow-stop');
    // 0.5 + 1 + 2 + 4 s, then 5 s a try: 70 tries are some 5.6 minutes, the budget is 5
    lane
      .told('stopWriters', { kind: 'fail', code: 'GatewayWouldNotStop', to: 70 })
      .told('smokeTest', { kind: 'block' });
    const handle = await bench.section(lane, restore);
    const result = restoreOf(handle);
    await lane.reached('smokeTest');
    expect(await handle.query('progress')).toMatchObject({ overBudget: ['stop (budget 5 min)'] });
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toMatch(/over budget.*stop \(budget 5 min\)/s);
    lane.release('smokeTest');
    const { overBudget, steps, rtoMs, messageAnswered } = await result;
    expect({ overBudget, messageAnswered }).toEqual({ overBudget: ['stop (budget 5 min)'], messageAnswered: true });
    const stop = steps.find(({ step }) => step === 'stop');
    expect(stop?.ms).toBeGreaterThan(5 * minuteMs);
    expect(stop?.ms).toBeLessThan(6.5 * minuteMs);
    expect(rtoMs).toBeGreaterThanOrEqual(stop?.ms ?? 0);
    expect(lane).toMatchObject({ restored: true, gateway: 'running', violations: [] });
    expect(await timersLeft(handle)).toBe(0);
  });

  it('is told once, though its work comes in two parts', async () => {
    const lane = withBudgets(bench.lane('slow-tree'), { stepMs: { tree: 10_000 } });
    lane
      .told('openStage', { kind: 'fail', code: 'HostUnreachable', to: 6 })
      .told('swapTrees', { kind: 'fail', code: 'HostUnreachable', to: 3 });
    const handle = await bench.section(lane, restore);
    const { overBudget, steps } = await restoreOf(handle);
    expect(overBudget).toEqual([`tree (budget ${10_000 / minuteMs} min)`]);
    expect(steps.find(({ step }) => step === 'tree')?.ms).toBeGreaterThan(20_000);
    expect(await timersLeft(handle)).toBe(0);
  });

  it('leaves the restore of a lane that stays inside its budgets without a word and without a timer', async () => {
    const handle = await bench.section(bench.lane('in-time'), restore);
    const { overBudget, rtoMs } = await restoreOf(handle);
    expect(overBudget).toEqual([]);
    expect(rtoMs).toBeLessThan(minuteMs);
    expect(await timersLeft(handle)).toBe(0);
  });

  it('leaves no timer behind when the restore fails over its budget', async () => {
    const lane = withBudgets(bench.lane('late-and-lost'), { stepMs: { stop: 5_000 } });
    lane.told('stopWriters', { kind: 'fail', code: 'GatewayWouldNotStop', to: 6 }).told('swapTrees', { kind: 'fail' });
    const handle = await bench.section(lane, restore);
    expect(await failureOf(handle)).toMatchObject({ message: messageOfFailing('swapTrees') });
    expect(await handle.query('progress')).toMatchObject({
      overBudget: [`stop (budget ${5_000 / minuteMs} min)`],
      step: null,
    });
    expect(await timersLeft(handle)).toBe(0);
  });
});

describe('the RTO', () => {
  it('over its budget is told, and the restore finishes', async () => {
    const lane = withBudgets(bench.lane('late'), { rtoMs: 2 * minuteMs });
    lane.told('startGateway', { kind: 'fail', code: 'LaunchdFailed', to: 30 });
    const handle = await bench.section(lane, restore);
    const { overBudget, rtoMs, rtoBudgetMs, messageAnswered } = await restoreOf(handle);
    expect({ overBudget, rtoBudgetMs, messageAnswered }).toEqual({
      overBudget: ['RTO (budget 2 min)'],
      rtoBudgetMs: 2 * minuteMs,
      messageAnswered: true,
    });
    expect(rtoMs).toBeGreaterThan(2 * minuteMs);
    expect(await timersLeft(handle)).toBe(0);
  });

  it('has run since the section began, also while an earlier run was settled', async () => {
    const lane = withBudgets(bench.lane('late-start'), { rtoMs: 10_000 });
    lane.told('settleLane', { kind: 'fail', code: 'HostUnreachable', to: 5 });
    const { overBudget, rtoMs } = await restoreOf(await bench.section(lane, restore));
    expect(rtoMs).toBeGreaterThan(10_000);
    expect(overBudget).toEqual([`RTO (budget ${10_000 / minuteMs} min)`]);
  });

  it('stands when the message is answered: what is tidied afterwards is not in it', async () => {
    const lane = withBudgets(bench.lane('tidied-late'), { rtoMs: 2 * minuteMs });
    lane.told('tidyLane', { kind: 'fail', code: 'HostUnreachable', to: 40 });
    const handle = await bench.section(lane, restore);
    const { overBudget, rtoMs, warnings } = await restoreOf(handle);
    expect({ overBudget, warnings }).toEqual({ overBudget: [], warnings: [] });
    expect(rtoMs).toBeLessThan(minuteMs);
  });
});

describe('a host that does not answer', () => {
  it('fails a backup within its tries, in less than two minutes', async () => {
    const lane = bench.lane('gone').told('settleLane', { kind: 'fail', code: 'HostUnreachable' });
    const handle = await bench.section(lane, backup);
    const failure = await failureOf(handle);
    expect(failure).toMatchObject({ code: 'HostUnreachable', message: messageOfFailing('settleLane') });
    expect(lane.count('settleLane')).toBe(8);
    expect(await lastedMs(handle)).toBeLessThan(2 * minuteMs);
  });

  it('fails a backup that was under way, with its cause, in less than ten minutes', async () => {
    const lane = bench.lane('goes');
    // one stream: this server never ends the cancellation of a step that waits for its next try
    lane.spec = { ...lane.spec, limits: { ...lane.spec.limits, streams: 1 } };
    for (const step of ['backupSegment', 'appendBackupLog', 'tidyLane'] as const)
      lane.told(step, { kind: 'fail', code: 'HostUnreachable' });
    const handle = await bench.section(lane, backup);
    const failure = await failureOf(handle);
    expect(failure).toMatchObject({ code: 'HostUnreachable', message: messageOfFailing('backupSegment') });
    expect(await lastedMs(handle)).toBeLessThan(10 * minuteMs);
    expect(lane.manifest).toBeNull();
  });

  it('fails a restore that was staging, in less than half an hour, with both causes', async () => {
    const lane = bench.lane('goes-staging');
    lane.chosen = { ...wholeBundle, segments: wholeBundle.segments.slice(0, 1) };
    for (const step of ['stageSegment', 'tidyLane'] as const)
      lane.told(step, { kind: 'fail', code: 'HostUnreachable' });
    const handle = await bench.section(lane, restore);
    const failure = await failureOf(handle);
    expect(failure.code).toBe('HostUnreachable');
    expect(failure.message).toBe(
      `${messageOfFailing('stageSegment')}; and the staging tree was not removed: ${messageOfFailing('tidyLane')}`,
    );
    expect(await lastedMs(handle)).toBeLessThan(30 * minuteMs);
  });

  it('is settled for as long as it takes: a section that puts right does not give up', async () => {
    const lane = bench.lane('back-at-last').told('settleLane', { kind: 'fail', code: 'HostUnreachable', to: 150 });
    lane.journal = { restore: 'dead', phase: 'open', before: 'running' };
    const handle = await bench.section(lane, { kind: 'settle' });
    expect(await handle.result()).toMatchObject({ kind: 'settle', settle: { action: 'rolled-back' } });
    expect(lane.count('settleLane')).toBe(151);
    expect(await lastedMs(handle)).toBeGreaterThan(12 * minuteMs);
    expect(await statusOf(handle)).toBe('COMPLETED');
  });
});
