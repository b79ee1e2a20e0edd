// How each playbook fails: on a spoiled archive, a failing hook, a refused approval. What is not brought back is as it was, or
// stopped where that protects it; the others are brought back all the same; and it is told.

import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { HookAnswer, HookKind, HookRequest } from '../../src/contract/hooks.ts';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { incidentMessages } from '../../src/contract/incidents.ts';
import { incidentId, movedId, recoverWorkflows } from '../../src/contract/names.ts';
import { movedMemo } from '../../src/contract/placement.ts';
import { Failure } from '../../src/domain/failure.ts';
import { type Scenario, scenarios, subjectKinds } from '../../src/domain/incident.ts';
import { Bench, failureOf, type Handle, waitUntil } from './bench.ts';
import { type FakeLane, fleetName } from './fake-lane.ts';

vi.setConfig({ maxConcurrency: 6 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

/** A disaster whose plan asks, with nothing done yet. */
interface Scene {
  readonly scenario: Scenario;
  readonly subject: string;
  /** Stands for the subject: its hooks, and faults of steps that touch no lane. */
  readonly about: FakeLane;
  readonly lanes: readonly FakeLane[];
  readonly start: () => Promise<Handle<IncidentState>>;
}

function scene(scenario: Scenario, word: string): Scene {
  const subject = `${word}-${scenario}`;
  const about = bench.lane(subject);
  const lanes = lanesOf(scenario, subject);
  about.hooks = ['fence', 'dns', 'pin', 'alert'];
  about.onHook = answerOf;
  bench.fleet.planned.set(subject, { ask: 'it asks' });
  const input = { [subjectKinds[scenario]]: subject };
  const id = incidentId(fleetName, scenario, subject);
  return { scenario, subject, about, lanes, start: () => bench.start(recoverWorkflows[scenario], input, id) };
}

/** One lane, two of a host, or one on each of a region's two hosts. */
function lanesOf(scenario: Scenario, subject: string): FakeLane[] {
  if (scenario === 'bad-upgrade') return [bench.lane(subject).onHost('mac-up')];
  const names = ['a', 'b'].map((letter) => `${subject}-${letter}`);
  if (scenario !== 'region-loss') return names.map((name) => bench.lane(name).onHost(subject));
  const hosts = names.map((name) => `${name}-host`);
  bench.fleet.regions.set(subject, hosts);
  return names.map((name, at) => bench.lane(name).onHost(hosts[at] ?? ''));
}

function answerOf({ hook }: HookRequest): HookAnswer<HookKind> {
  return hook === 'fence' ? { fenced: 'power-off' } : {};
}

const look = (run: Handle): Promise<IncidentState> => run.query<IncidentState>(incidentMessages.incident);

async function waiting(run: Handle): Promise<IncidentState> {
  await waitUntil('it waits for an approval', async () => (await look(run)).phase === 'awaiting-approval');
  return look(run);
}

function tell(run: Handle, update: 'approve' | 'decline' | 'handDone', input: object): Promise<unknown> {
  return (run as WorkflowHandle).executeUpdate(incidentMessages[update], { args: [input] });
}

async function approved({ start }: Scene): Promise<Handle<IncidentState>> {
  const run = await start();
  await tell(run, 'approve', { digest: (await waiting(run)).plan?.digest, by: 'ada' });
  return run;
}

const keeperOf = (host: string): WorkflowHandle => bench.handle(movedId(fleetName, host));
const kept = async (host: string): Promise<unknown> => (await keeperOf(host).describe()).memo?.[movedMemo];

function expectUntouched(lanes: readonly FakeLane[]): void {
  for (const lane of lanes)
    expect(lane).toMatchObject({ tree: 'old', secrets: 'old', gateway: 'running', pruned: 0, violations: [] });
}

describe.concurrent('a refused approval', () => {
  it.each(scenarios)('leaves %s waiting, and declined it has changed nothing', async (scenario) => {
    const { start, subject, about, lanes } = scene(scenario, 'refused');
    const run = await start();
    const { plan } = await waiting(run);
    const signature = '-----BEGIN SSH SIGNATURE-----\nWRONG\n-----END SSH SIGNATURE-----\n';
    const word = { digest: plan?.digest, by: 'eve', signature, expires: '2999-01-01T00:00:00Z' };
    await expect(tell(run, 'approve', word)).rejects.toMatchObject({ cause: { type: 'ApprovalRefused' } });
    expect(await look(run)).toMatchObject({ phase: 'awaiting-approval', approval: null, outcome: null });
    await tell(run, 'decline', { by: 'ada', reason: 'not this night' });
    expect(await run.result()).toMatchObject({ phase: 'declined', approval: null, outcome: null });
    expectUntouched(lanes);
    expect(about.hookCalls.filter(({ hook }) => hook !== 'alert')).toEqual([]);
    expect(bench.lane(subject).incidents).toMatchObject([{ state: { phase: 'declined', approval: null } }]);
  });
});

describe.concurrent('a spoiled archive', () => {
  const spoiled = { kind: 'fail', code: 'BundleDamaged' } as const;

  it('of one lane that wrote into another leaves that one stopped, and frees the other', async () => {
    const whole = scene('cross-write', 'spoiled');
    const [bad, good] = whole.lanes as [FakeLane, FakeLane];
    bad.told('checkBundles', spoiled);
    const { code, message } = await failureOf(await approved(whole));
    expect(code).toBe('RecoveryFailed');
    expect(message).toContain(`not brought back: ${bad.name} (BundleDamaged)`);
    expect(bad).toMatchObject({ tree: 'old', gateway: 'stopped', violations: [] });
    expect(good).toMatchObject({ tree: 'new', gateway: 'running', violations: [] });
  });

  it('of one lane of a lost host leaves that one where the file says, and keeps the other where it came back', async () => {
    const whole = scene('host-loss', 'spoiled');
    const [bad, good] = whole.lanes as [FakeLane, FakeLane];
    bad.told('stageSegment', spoiled);
    const { message } = await failureOf(await approved(whole));
    expect(message).toContain(`not brought back: ${bad.name} (BundleDamaged)`);
    expectUntouched([bad]);
    expect(good).toMatchObject({ tree: 'new', gateway: 'running', violations: [] });
    expect(await kept(whole.subject)).toMatchObject({ lanes: [good.name] });
    await keeperOf(whole.subject).terminate();
  });

  it('in the replica of a lost region leaves that host where it is, and brings the other back', async () => {
    const whole = scene('region-loss', 'spoiled');
    const [bad, good] = whole.lanes as [FakeLane, FakeLane];
    bench.fleet.refuges.set(`${good.name}-host`, { to: 'mac-8' });
    bad.told('checkBundles', spoiled);
    const { message } = await failureOf(await approved(whole));
    expect(message).toContain(`not brought back: ${bad.name} (BundleDamaged)`);
    expectUntouched([bad]);
    expect(good).toMatchObject({ tree: 'new', gateway: 'running', violations: [] });
    expect(await kept(`${good.name}-host`)).toMatchObject({ lanes: [good.name] });
    await keeperOf(`${good.name}-host`).terminate();
  });
});

describe.concurrent('a failing hook', () => {
  const failing =
    (kind: HookKind) =>
    (request: HookRequest): HookAnswer<HookKind> => {
      if (request.hook === kind) throw new Failure('HookFailed', `the hook ${kind} ended with status 1`);
      return answerOf(request);
    };

  it('that cannot install OpenClaw on the host that takes over starts no lane there', async () => {
    const whole = scene('host-loss', 'unpinned');
    for (const lane of whole.lanes) lane.chosen = { ...lane.chosen, openclawVersion: '2026.10.1' };
    whole.about.onHook = failing('pin');
    const run = await approved(whole);
    expect((await failureOf(run)).code).toBe('RecoveryFailed');
    expect((await look(run)).outcome?.lanes).toMatchObject([
      { outcome: 'untouched', code: 'HookFailed' },
      { outcome: 'untouched', code: 'HookFailed' },
    ]);
    expectUntouched(whole.lanes);
    await expect(keeperOf(whole.subject).describe()).rejects.toThrow(/not found/i);
  });

  it('that cannot fence the hosts of a lost region asks for each by hand, and starts nothing before', async () => {
    const whole = scene('region-loss', 'unfenced');
    whole.about.onHook = failing('fence');
    const run = await approved(whole);
    for (const fenced of [0, 1]) {
      await waitUntil('it asks for a hand', async () => (await look(run)).hand?.step === 'fence');
      expect(whole.lanes.filter(({ tree }) => tree === 'new').length).toBeLessThanOrEqual(fenced);
      await tell(run, 'handDone', { step: 'fence', by: 'ada' });
    }
    const { outcome, phase } = await run.result();
    expect(phase).toBe('recovered');
    expect(
      outcome?.remarks.filter((remark) => remark.includes('fenced by hand, after the hook had failed')),
    ).toHaveLength(2);
    for (const lane of whole.lanes) await keeperOf(`${lane.name}-host`).terminate();
  });

  it.each(scenarios)('that tells nobody costs %s nothing but a warning', async (scenario) => {
    const whole = scene(scenario, 'untold');
    whole.about.onHook = failing('alert');
    const { phase, warnings } = await (await approved(whole)).result();
    expect(phase).toBe('recovered');
    expect(warnings).toContain('the alert ApprovalWanted was not told: HookFailed');
    const hosts = scenario === 'region-loss' ? whole.lanes.map(({ name }) => `${name}-host`) : [whole.subject];
    if (scenario === 'region-loss' || scenario === 'host-loss')
      for (const host of hosts) await keeperOf(host).terminate();
  });
});
