// The watch over recovery points, by a schedule as it runs: what one run told, the next one knows.

import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { HookInput, HookRequest } from '../../src/contract/hooks.ts';
import { queues, workflowNames } from '../../src/contract/names.ts';
import type { RpoLook, WatchRpoResult } from '../../src/contract/rpo.ts';
import { Bench } from './bench.ts';
import { type FakeLane, fleetName } from './fake-lane.ts';

const hour = 3_600_000;
const scheduleId = `clawback/${fleetName}/watch-rpo`;

let bench: Bench;
/** The steps of a workflow that is of no lane are noted here. */
let desk: FakeLane;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
  desk = bench.lane('');
  desk.hooks = ['alert'];
  await bench.client.schedule.create({
    scheduleId,
    spec: { intervals: [{ every: '30d' }] },
    action: { type: 'startWorkflow', workflowType: workflowNames.watchRpo, taskQueue: queues.host, args: [{}] },
  });
});
afterAll(() => bench?.close());

/** As the schedule does it in ten minutes. With ALLOW_ALL, a trigger's preset, a run is not given the last one's result. */
async function next(): Promise<WatchRpoResult> {
  const handle = bench.client.schedule.getHandle(scheduleId);
  const lastOf = async () => (await handle.describe()).info.recentActions.at(-1)?.action.workflow;
  const before = await lastOf();
  await handle.trigger(ScheduleOverlapPolicy.BUFFER_ONE);
  return vi.waitFor(
    async () => {
      const last = await lastOf();
      if (last === undefined || last.firstExecutionRunId === before?.firstExecutionRunId)
        throw new Error('it has not started yet');
      const { workflowId, firstExecutionRunId } = last;
      return (await bench.client.workflow.getHandle(workflowId, firstExecutionRunId).result()) as WatchRpoResult;
    },
    { timeout: 15_000, interval: 100 },
  );
}

function sees(ages: Readonly<Record<string, number | null>>, more: Partial<RpoLook> = {}): void {
  desk.rpo = {
    ...desk.rpo,
    rules: { graceMs: hour, remindEveryMs: hour },
    sights: Object.entries(ages).map(([lane, age]) => ({
      lane,
      dataClass: 1,
      objectiveMs: 24 * hour,
      capturedAtMs: age === null ? null : Date.now() - age * hour,
    })),
    ...more,
  };
}

const alerts = (): HookInput<'alert'>[] => desk.hookCalls.map((call) => (call as HookRequest<'alert'>).input);

describe('the watch over recovery points', () => {
  it('tells a missed one once, and that it is met again; another lane is not in it', async () => {
    sees({ late: 26, young: 24.5 });
    expect(await next()).toMatchObject({ missed: ['late class 1'], told: ['late class 1: missed'], untold: [] });
    expect(await next()).toMatchObject({ missed: ['late class 1'], told: [] });
    expect(alerts()).toEqual([
      {
        severity: 'critical',
        code: 'RpoMissed',
        subject: 'late class 1',
        message: expect.stringMatching(
          /^the recovery point objective of late class 1 is missed: no good bundle is newer/,
        ),
        since: expect.stringMatching(/Z$/),
        runbook: 'docs/schedules.md',
      },
    ]);
    sees({ late: 0, young: 1 });
    expect(await next()).toMatchObject({ missed: [], told: ['late class 1: met again'] });
    expect(await next()).toMatchObject({ missed: [], told: [] });
    expect(alerts().map(({ severity }) => severity)).toEqual(['critical', 'resolved']);
    expect(new Set(desk.hookCalls.map(({ key }) => key)).size).toBe(2);
  });

  it('tells it in the next run, by the same key, when the hook failed', async () => {
    sees({ other: 30 });
    desk.hookCalls.length = 0;
    desk.told('runHook', { kind: 'fail', code: 'HookFailed', to: desk.count('runHook') + 1 });
    expect(await next()).toMatchObject({ told: [], untold: ['other class 1: missed (HookFailed)'] });
    expect(await next()).toMatchObject({ told: ['other class 1: missed'], untold: [] });
    expect(await next()).toMatchObject({ told: [] });
    const keys = desk.calls.filter(({ step }) => step === 'runHook').map(({ input }) => (input as HookRequest).key);
    expect(keys.at(-1)).toBe(keys.at(-2));
  });

  it('goes by what it knew when a store is silent, and says which lanes it could not see', async () => {
    const unseen = [{ lane: 'other', code: 'StoreUnreachable' as const }];
    sees({ other: null }, { unseen });
    expect(await next()).toMatchObject({ missed: ['other class 1'], told: [], unseen });
  });

  it('without an alert hook answers what it would have told, and does not fail', async () => {
    const calls = desk.hookCalls.length;
    sees({ silent: 40 }, { alerts: false, unseen: [] });
    const { missed, told, untold } = await next();
    expect({ missed, untold }).toEqual({ missed: ['silent class 1'], untold: [] });
    expect(told).toContain('silent class 1: missed');
    expect(desk.hookCalls).toHaveLength(calls);
  });
});
