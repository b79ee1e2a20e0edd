// Playbook "bad upgrade": the gateway stops first, the bundle from before the upgrade comes back with its version, and
// what is not enough says what to do.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { incidentMessages } from '../../src/contract/incidents.ts';
import { incidentId, workflowNames } from '../../src/contract/names.ts';
import type { PreUpgradeChoice } from '../../src/contract/upgrade.ts';
import { Failure } from '../../src/domain/failure.ts';
import { Bench, failureOf, type Handle, waitUntil } from './bench.ts';
import { bundleId, type FakeLane, fleetName } from './fake-lane.ts';

vi.setConfig({ maxConcurrency: 6 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

const [before, after] = ['2026.11.1', '2026.11.2'];

/** A lane whose gateway exits in a loop since its upgrade, until OpenClaw is the old one. */
function upgraded(name: string, choice: Partial<PreUpgradeChoice> = {}): FakeLane {
  const lane = bench.lane(name);
  install(lane, after);
  lane.preUpgrade = { ...lane.preUpgrade, capturedAt: new Date(Date.now() - 3_600_000).toISOString(), ...choice };
  lane.onHook = ({ hook, input }) => {
    if (hook === 'pin' && 'version' in input) install(lane, input.version);
    return {};
  };
  return lane;
}

function install(lane: FakeLane, version: string | null): void {
  lane.survey = { ...lane.survey, openclawVersion: version };
}

const recover = ({ name }: FakeLane, input: object = {}): Promise<Handle<IncidentState>> =>
  bench.start(workflowNames.recoverBadUpgrade, { lane: name, ...input }, incidentId(fleetName, 'bad-upgrade', name));

const look = (run: Handle): Promise<IncidentState> => run.query<IncidentState>(incidentMessages.incident);

async function asks(run: Handle): Promise<IncidentState> {
  await waitUntil('it waits for an approval', async () => (await look(run)).phase === 'awaiting-approval');
  return look(run);
}

const stepsOf = ({ plan }: IncidentState): string[] => plan?.steps.map(({ step }) => step) ?? [];

function expectUntouched(lane: FakeLane): void {
  expect(lane).toMatchObject({ tree: 'old', secrets: 'old', gateway: 'running', journal: null, violations: [] });
  expect(lane.survey.openclawVersion).toBe(after);
}

describe.concurrent('a bad upgrade', () => {
  it('is gone back from alone: stopped first, restored, its version with it, and answered', async () => {
    const lane = upgraded('alone');
    const state = await (await recover(lane)).result();
    expect(state).toMatchObject({
      phase: 'recovered',
      approval: { how: 'policy' },
      plan: { lanes: [{ lane: 'alone', bundle: bundleId }] },
      outcome: { escalation: null, remarks: [], lanes: [{ outcome: 'recovered', bundle: bundleId, code: null }] },
      rto: { ms: expect.any(Number), over: false },
    });
    expect(stepsOf(state)).toEqual(['stop', 'restore', 'pin', 'smoke']);
    expect(state.plan?.steps[1]?.what).toMatch(
      /^restore bundle \S+, OpenClaw 2026\.11\.1, captured \S+: the newest from/,
    );
    expect(lane.order.indexOf('stopWriters')).toBeLessThan(lane.order.indexOf('openStage'));
    expect(lane.order.indexOf('runHook')).toBeLessThan(lane.order.indexOf('swapTrees'));
    expect(lane.hookCalls).toMatchObject([{ hook: 'pin', input: { lane: 'alone', version: before } }]);
    expect(lane).toMatchObject({ tree: 'new', secrets: 'new', gateway: 'running', journal: null, violations: [] });
    expect(lane.survey.openclawVersion).toBe(before);
    expect(lane.calls.find(({ step }) => step === 'chooseBundles')?.input).toMatchObject({ bundle: bundleId });
  });

  it('needs no pin where the host has the version of the bundle', async () => {
    const lane = upgraded('same-version', { version: after });
    const state = await (await recover(lane)).result();
    expect(state.phase).toBe('recovered');
    expect(stepsOf(state)).toEqual(['stop', 'restore', 'smoke']);
    expect(lane.hookCalls).toEqual([]);
  });

  it('is planned only, as a dry run', async () => {
    const lane = upgraded('dry');
    expect(await (await recover(lane, { dryRun: true })).result()).toMatchObject({ phase: 'planned' });
    expect(lane.count('stopWriters') + lane.hookCalls.length).toBe(0);
    expectUntouched(lane);
  });

  it('asks first where no bundle is of another version: what is wrong may be no upgrade', async () => {
    const lane = upgraded('no-upgrade', { because: 'no-upgrade', version: after });
    const run = await recover(lane);
    const { plan } = await asks(run);
    expect(plan?.ask).toBe(
      `no good bundle is of another OpenClaw than ${after} on the host: what is wrong may be no upgrade`,
    );
    expectUntouched(lane);
    await run.cancel();
  });

  it('asks first where going back loses more than the RPO, and not where it loses less', async () => {
    const lane = upgraded('overtaken', { because: 'overtaken', capturedAt: '2026-01-01T00:00:00.000Z' });
    const run = await recover(lane);
    const { plan } = await asks(run);
    expect(plan?.ask).toMatch(
      /^there are good bundles of OpenClaw 2026\.11\.2, too: going back loses .*, more than the RPO/,
    );
    await run.executeUpdate(incidentMessages.approve, { args: [{ digest: plan?.digest, by: 'ops' }] } as never);
    expect(await run.result()).toMatchObject({ phase: 'recovered' });
    const recent = upgraded('overtaken-lately', { because: 'overtaken' });
    expect(await (await recover(recent)).result()).toMatchObject({ phase: 'recovered', approval: { how: 'policy' } });
  });

  it('without a pin hook: the data comes back, and it says that the version did not', async () => {
    const lane = upgraded('no-hook');
    lane.hooks = [];
    const state = await (await recover(lane)).result();
    expect(stepsOf(state)).toEqual(['stop', 'restore', 'pin-by-hand', 'smoke']);
    expect(state).toMatchObject({ phase: 'recovered', outcome: { lanes: [{ outcome: 'recovered' }] } });
    expect(state.outcome?.remarks).toEqual([
      'OpenClaw is still 2026.11.2, its data of 2026.11.1: see that it stays the version you want',
    ]);
  });
});

describe.concurrent('a recovery that is not enough', () => {
  async function failed(lane: FakeLane): Promise<{ failure: Failure; state: IncidentState }> {
    const run = await recover(lane);
    const failure = await failureOf(run);
    return { failure, state: await look(run) };
  }

  it('says what to install by hand, exactly, where there is no pin hook and no answer', async () => {
    const lane = upgraded('silent');
    lane.hooks = [];
    lane.smoke = { ...lane.smoke, answered: false, httpStatus: 500 };
    const { failure, state } = await failed(lane);
    expect(failure.code).toBe('RecoveryFailed');
    expect(failure.message).toContain('not brought back: silent (MessageUnanswered)');
    expect(state.outcome?.escalation).toBe(
      `roll the version pin back by hand: on host mac-1 install OpenClaw ${before} for agent-lane-1 (\`npm install -g openclaw@${before}\`), switch its own updates off, then \`./clawback restore silent --bundle ${bundleId} --stop-first --accept-version\``,
    );
    expectUntouched(lane);
  });

  it('with a failing pin hook leaves the lane as it was, and names both ways on', async () => {
    const lane = upgraded('pin-fails');
    lane.onHook = () => {
      throw new Failure('HookFailed', 'the hook pin ended with status 1');
    };
    const { failure, state } = await failed(lane);
    expect(failure.message).toContain('not brought back: pin-fails (HookFailed)');
    expect(state.outcome?.escalation).toMatch(
      /^roll the version pin back: `\S+ restore pin-fails .* --stop-first --pin` tries it/,
    );
    expect(lane.count('swapTrees')).toBe(0);
    expectUntouched(lane);
  });

  it('of a spoiled archive stops nothing: all of it is checked before', async () => {
    const lane = upgraded('spoiled').told('checkBundles', { kind: 'fail', code: 'BundleDamaged' });
    const { failure, state } = await failed(lane);
    expect(failure.message).toContain('not brought back: spoiled (BundleDamaged)');
    expect(state.outcome?.lanes).toMatchObject([{ outcome: 'failed', code: 'BundleDamaged', answeredAt: null }]);
    expect(lane.count('stopWriters') + lane.hookCalls.length).toBe(0);
    expectUntouched(lane);
  });

  it('of a segment that turns out spoiled, while the gateway is down, goes back', async () => {
    const lane = upgraded('spoiled-late').told('stageSegment', { kind: 'fail', code: 'BundleDamaged' });
    const { failure } = await failed(lane);
    expect(failure.code).toBe('RecoveryFailed');
    expect(lane.count('stopWriters')).toBe(1);
    expect(lane.hookCalls).toEqual([]);
    expectUntouched(lane);
  });

  it('when it is cancelled puts the lane right, its version too', async () => {
    const lane = upgraded('cancelled').told('rehydrateSecrets', { kind: 'block' });
    const run = await recover(lane);
    await lane.reached('rehydrateSecrets');
    await run.cancel();
    expect(await failureOf(run)).toMatchObject({ code: 'Cancelled' });
    expect(lane.hookCalls.map(({ input }) => 'version' in input && input.version)).toEqual([before, after]);
    expectUntouched(lane);
  });

  it('has no plan where the host does not answer, or no bundle is there', async () => {
    const gone = upgraded('host-gone').told('surveyLane', { kind: 'fail', code: 'UnknownLane' });
    expect(await failureOf(await recover(gone))).toMatchObject({ code: 'UnknownLane' });
    const bare = upgraded('bare').told('choosePreUpgrade', { kind: 'fail', code: 'NoRestorePoint' });
    expect(await failureOf(await recover(bare))).toMatchObject({ code: 'NoRestorePoint' });
    expectUntouched(bare);
  });
});
