// Playbook "lane cross-write": every lane is down before any is restored; who does not come back stays down, and is told.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { incidentMessages } from '../../src/contract/incidents.ts';
import { incidentId, workflowNames } from '../../src/contract/names.ts';
import { Bench, failureOf, type Handle } from './bench.ts';
import { type FakeLane, fleetName, type StepName } from './fake-lane.ts';

vi.setConfig({ maxConcurrency: 8 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

interface Opened {
  readonly one: FakeLane;
  readonly other: FakeLane;
  readonly start: (input?: object) => Promise<Handle<IncidentState>>;
}

function host(name: string): Opened {
  const [one, other] = [`${name}-a`, `${name}-b`].map((lane) => bench.lane(lane).onHost(name)) as [FakeLane, FakeLane];
  const id = incidentId(fleetName, 'cross-write', name);
  const start = (input = {}): Promise<Handle<IncidentState>> =>
    bench.start(workflowNames.recoverCrossWrite, { host: name, ...input }, id);
  return { one, other, start };
}

const look = (run: Handle): Promise<IncidentState> => run.query<IncidentState>(incidentMessages.incident);

function rowsOf({ outcome }: IncidentState): Record<string, unknown> {
  return Object.fromEntries((outcome?.lanes ?? []).map(({ lane, outcome: what, code }) => [lane, code ?? what]));
}

describe.concurrent('a cross-write', () => {
  it('is recovered: all lanes stopped, then each restored, then counted', async () => {
    const { one, other, start } = host('cw-good');
    other.told('holdLane', { kind: 'block' });
    const run = await start();
    await other.reached('holdLane');
    expect(one.count('stopWriters')).toBe(0);
    other.heal();
    other.release('holdLane');
    const state = await run.result();
    expect(state).toMatchObject({ phase: 'recovered', outcome: { escalation: null } });
    expect(state.plan?.steps.map(({ step, lane = '' }) => `${step} ${lane}`)).toEqual([
      'stop cw-good-a',
      'stop cw-good-b',
      'restore cw-good-a',
      'restore cw-good-b',
      'look ',
    ]);
    for (const lane of [one, other]) {
      expect(lane).toMatchObject({ gateway: 'running', tree: 'new', violations: [] });
      const order = lane.calls.map(({ step }) => step);
      expect(order.indexOf('holdLane')).toBeLessThan(order.indexOf('stopWriters'));
    }
  });

  it('restores nothing while one lane cannot be stopped; the others stay stopped, and it is told', async () => {
    const { one, other, start } = host('cw-running');
    other.told('holdLane', { kind: 'fail' });
    const run = await start();
    expect(await failureOf(run)).toMatchObject({ code: 'RecoveryFailed' });
    const state = await look(run);
    expect(rowsOf(state)).toEqual({ 'cw-running-a': 'untouched', 'cw-running-b': 'HostOutputUnexpected' });
    expect(state.outcome?.escalation).toMatch(/not every lane could be stopped.*troubleshoot and repair/);
    for (const lane of [one, other]) expect(lane.count('stopWriters')).toBe(0);
    expect([one.gateway, other.gateway]).toEqual(['stopped', 'running']);
  });

  const steps: readonly StepName[] = [
    'chooseBundles',
    'checkBundles',
    'stageSegment',
    'swapTrees',
    'rehydrateSecrets',
    'startGateway',
    'smokeTest',
  ];
  it.each(steps)(
    'a lane whose restore fails at %s stays down as it was, alone, and the other answers',
    async (step) => {
      const { one, other, start } = host(`cw-${step.toLowerCase()}`);
      other.told(step, { kind: 'fail' });
      const run = await start();
      expect(await failureOf(run)).toMatchObject({ code: 'RecoveryFailed' });
      const state = await look(run);
      expect(rowsOf(state)).toEqual({ [one.name]: 'recovered', [other.name]: 'HostOutputUnexpected' });
      expect(state.outcome?.lanes[1]?.remarks[0]).toContain(`./clawback backup ${other.name} --tier C`);
      expect(one).toMatchObject({ gateway: 'running', tree: 'new', violations: [] });
      expect(other).toMatchObject({ gateway: 'stopped', tree: 'old', secrets: 'old', journal: null, violations: [] });
    },
  );

  it('is not recovered while files of one lane are of another, or that cannot be counted', async () => {
    const { one, start } = host('cw-mixed');
    one.mixed = 3;
    const run = await start();
    expect(await failureOf(run)).toMatchObject({ code: 'RecoveryFailed' });
    const { outcome } = await look(run);
    expect(outcome?.remarks[0]).toBe("lane cw-mixed-a: 3 files belong to another lane's user, 0 are named for one");
    expect(outcome?.escalation).toMatch(/troubleshoot and repair/);
  });

  it('does not lose a stop whose answer is lost, nor stops twice what is down', async () => {
    const { one, other, start } = host('cw-lost');
    one.told('holdLane', { kind: 'lose', to: 1 });
    expect(await (await start()).result()).toMatchObject({ phase: 'recovered' });
    for (const lane of [one, other]) expect(lane).toMatchObject({ gateway: 'running', violations: [] });
    expect(one.count('holdLane')).toBe(2);
  });

  it('cancelled while a lane is being stopped, it stops that lane, and restores none', async () => {
    const { one, other, start } = host('cw-cancelled');
    one.told('holdLane', { kind: 'block' });
    const run = await start();
    await one.reached('holdLane');
    await run.cancel();
    one.heal();
    one.release('holdLane');
    expect(await failureOf(run)).toMatchObject({ code: 'Cancelled' });
    expect((await look(run)).warnings).toEqual(
      ['cw-cancelled-a', 'cw-cancelled-b'].map((lane): unknown =>
        expect.stringContaining(`./clawback restore ${lane}\``),
      ),
    );
    expect(one.gateway).toBe('stopped');
    for (const lane of [one, other]) expect(lane.count('stopWriters')).toBe(0);
  });
});
