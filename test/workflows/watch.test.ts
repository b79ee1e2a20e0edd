// The watch from run to run, by its schedule: what it remembers, opens and tells, and what a look that fails may not spoil.

import { ScheduleOverlapPolicy, type WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { incidentMessages } from '../../src/contract/incidents.ts';
import { incidentId, queues, workflowNames } from '../../src/contract/names.ts';
import type { WatchResult } from '../../src/contract/watch-types.ts';
import type { LaneSample } from '../../src/domain/signals.ts';
import { Bench, ended, failureOf, statusOf, waitUntil } from './bench.ts';
import { fleetName } from './fake-lane.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
  await bench.client.schedule.create({
    scheduleId,
    spec: { intervals: [{ every: '365 days' }] },
    action: {
      type: 'startWorkflow',
      workflowType: workflowNames.watchFleet,
      taskQueue: queues.host,
      args: [{}],
      workflowId: 'watch',
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP },
  });
});
afterAll(() => bench?.close());

const scheduleId = 'watch-test';
let runs = 0;

/** One run of the schedule, to its end. With ALLOW_ALL, a trigger's preset, a run is not given the last one's result. */
async function watch(): Promise<WatchResult> {
  const schedule = bench.client.schedule.getHandle(scheduleId);
  await schedule.trigger(ScheduleOverlapPolicy.SKIP);
  runs += 1;
  let id = '';
  await waitUntil('the run is known', async () => {
    const { info } = await schedule.describe();
    id = info.recentActions.at(-1)?.action.workflow.workflowId ?? '';
    return info.numActionsTaken === runs;
  });
  return bench.client.workflow.getHandle(id).result() as Promise<WatchResult>;
}

function sample(lane: string, more: Partial<LaneSample> = {}): LaneSample {
  return { lane, planned: false, runs: 1, pid: 70, answered: true, diskUsed: 40, foreign: [], held: false, ...more };
}

/** Hosts of the fleet, each with what is seen of its lane `<host>-a`. */
function see(hosts: Readonly<Record<string, Partial<LaneSample>>>): void {
  const { fleet } = bench;
  fleet.watchPlan = {
    ...fleet.watchPlan,
    hosts: Object.keys(hosts).map((host) => ({ host, region: 'hk', lanes: [`${host}-a`] })),
  };
  for (const [host, more] of Object.entries(hosts))
    fleet.samples.set(host, { host, reach: 'answers', clockOffsetMs: 0, lanes: [sample(`${host}-a`, more)] });
}

// one after the other: each run remembers what the run before it saw
describe('the watch, from run to run', () => {
  it('opens an incident at the second sample, once, and tells it when its signal is gone', async () => {
    const lane = bench.lane('mac-1-a');
    lane.spec = { ...lane.spec, target: { ...lane.spec.target, host: { ...lane.spec.target.host, name: 'mac-1' } } };
    bench.fleet.planned.set('mac-1', { ask: 'it asks' });
    const id = incidentId(fleetName, 'disk-full', 'mac-1');
    see({ 'mac-1': { diskUsed: 95 } });
    expect(await watch()).toMatchObject({ signals: [], opened: [], blind: null });
    expect(await watch()).toMatchObject({ signals: [{ scenario: 'disk-full', subject: 'mac-1' }], opened: [id] });
    expect(await watch()).toMatchObject({ signals: [{ scenario: 'disk-full' }], opened: [] });
    const run = bench.handle(id);
    await waitUntil(
      'it waits',
      async () => (await run.query<IncidentState>(incidentMessages.incident)).phase === 'awaiting-approval',
    );
    const { signal, openedBy } = await run.query<IncidentState>(incidentMessages.incident);
    expect([openedBy, signal?.text]).toEqual(['watch', 'a volume of mac-1 is 95 % full (mark: 90 %)']);
    see({ 'mac-1': { diskUsed: 50 } });
    await watch();
    expect(await watch()).toMatchObject({ signals: [], cleared: [] });
    expect(await run.result()).toMatchObject({ phase: 'closed', clearedAt: expect.any(String) });
  });

  it('asks again for a signal that stays only a while after its incident was declined, or has failed', async () => {
    const againMs = 3_000;
    const { fleet } = bench;
    const rules = fleet.watchPlan.rules;
    fleet.watchPlan = { ...fleet.watchPlan, rules: { ...rules, againMs } };
    const id = incidentId(fleetName, 'disk-full', 'mac-10');
    fleet.planned.set('mac-10', { ask: 'it asks' });
    see({ 'mac-10': { diskUsed: 95 } });
    await watch();
    expect((await watch()).opened).toEqual([id]);
    const untilAgain = async (): Promise<number> => {
      const fromMs = Date.now();
      while ((await watch()).opened.length === 0);
      return Date.now() - fromMs;
    };
    const run = bench.handle(id);
    await waitUntil('it waits', async () => (await run.query<IncidentState>(incidentMessages.incident)).plan !== null);
    // it is open for longer than that, and nobody is asked twice for it
    const openedMs = Date.now();
    while (Date.now() - openedMs < againMs + 1_000) expect((await watch()).opened).toEqual([]);
    await (run as WorkflowHandle).executeUpdate(incidentMessages.decline, { args: [{ by: 'ada', reason: 'later' }] });
    expect(await run.result()).toMatchObject({ phase: 'declined' });
    // the same minute: from the last look that saw it open
    expect(await untilAgain()).toBeGreaterThan(againMs - 1_500);
    const second = bench.handle(id);
    const { since, openedAt } = await second.query<IncidentState>(incidentMessages.incident);
    expect(Date.parse(openedAt) - Date.parse(since)).toBeGreaterThan(againMs);
    fleet.planned.delete('mac-10');
    await second.cancel();
    await second.result().catch(() => undefined);
    bench.lane('mac-10').told('briefIncident', { kind: 'fail' });
    expect(await untilAgain()).toBeGreaterThan(againMs - 1_500);
    expect((await failureOf(bench.handle(id))).code).toBe('HostOutputUnexpected');
    expect(await untilAgain()).toBeGreaterThan(againMs - 1_500);
    await ended(bench.handle(id));
    fleet.watchPlan = { ...fleet.watchPlan, rules };
  });

  it('goes on where an incident is open already, and where none is open that could be told', async () => {
    const id = incidentId(fleetName, 'disk-full', 'mac-2');
    bench.fleet.planned.set('mac-2', { ask: 'it asks' });
    const open = await bench.start(workflowNames.recoverDiskFull, { host: 'mac-2' }, id);
    see({ 'mac-2': { diskUsed: 95 } });
    await watch();
    expect(await watch()).toMatchObject({ signals: [{ subject: 'mac-2' }], opened: [], blind: null });
    await open.terminate();
    see({ 'mac-2': { diskUsed: 10 } });
    await watch();
    expect(await watch()).toMatchObject({ signals: [], blind: null });
  });

  it('counts files of other lanes at its first look, and then only now and then', async () => {
    bench.fleet.counted.length = 0;
    see({ 'mac-3': {} });
    await watch();
    await watch();
    await watch();
    expect(bench.fleet.counted).toEqual(['mac-3']);
  });

  it('settles a dead section while a host keeps it waiting', async () => {
    const host = bench.lane('').told('sampleHost', { kind: 'block' });
    see({ 'mac-4': {} });
    const lane = bench.lane('left').leftUnsettled();
    const watching = watch();
    await host.reached('sampleHost');
    await waitUntil('the lane is settled', () => lane.journal === null);
    expect(lane).toMatchObject({ gateway: 'running', tree: 'old', violations: [] });
    host.heal();
    host.release('sampleHost');
    expect(await watching).toMatchObject({ settling: ['left'], blind: null });
    lane.watched = false;
  });

  it('starts a lane that does not get settled three times at once, and then leaves it free for a while', async () => {
    see({ 'mac-4': {} });
    const lane = bench.lane('stuck').leftUnsettled().told('settleLane', { kind: 'fail', code: 'LaneUnsettled' });
    for (const count of [1, 2, 3]) {
      expect(await watch()).toMatchObject({ settling: ['stuck'], tries: { stuck: { count } } });
      await waitUntil('its section has ended', async () => (await statusOf(bench.handle(lane.id))) === 'FAILED');
    }
    expect(await watch()).toMatchObject({ settling: [], tries: { stuck: { count: 3 } } });
    lane.journal = null;
    expect((await watch()).tries).toEqual({});
    lane.watched = false;
    lane.heal();
  });

  it('tells that it could not look, settles all the same, and remembers what it knew', async () => {
    see({ 'mac-5': { diskUsed: 95 } });
    await watch();
    bench.lane('').told('describeWatch', { kind: 'fail', code: 'PlacementBad' });
    const lane = bench.lane('blind').leftUnsettled();
    const blind = await watch();
    expect(blind).toMatchObject({
      settling: ['blind'],
      blind: 'PlacementBad',
      memory: { hosts: { 'mac-5': { full: 1 } } },
    });
    bench.lane('').heal();
    await waitUntil('the lane is settled', () => lane.journal === null);
    lane.watched = false;
    expect((await watch()).signals).toMatchObject([{ scenario: 'disk-full', subject: 'mac-5' }]);
  });

  it('calls a host that it cannot ask unknown, which is no signal', async () => {
    see({ 'mac-6': {}, 'mac-7': {} });
    bench.lane('').told('sampleHost', { kind: 'fail', code: 'SecretUnavailable' });
    expect(await watch()).toMatchObject({ cutOff: true, away: ['mac-6: unknown', 'mac-7: unknown'], signals: [] });
    bench.lane('').heal();
    expect(await watch()).toMatchObject({ cutOff: false, away: [], signals: [] });
  });

  it('starts over when it is started without its schedule', async () => {
    see({ 'mac-8': { diskUsed: 95 } });
    for (const _ of [1, 2]) {
      const run = await bench.start<WatchResult>(workflowNames.watchFleet, {});
      expect((await run.result()).signals).toEqual([]);
      expect(await statusOf(run)).toBe('COMPLETED');
    }
  });
});
