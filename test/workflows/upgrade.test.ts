// A guarded upgrade: nothing is upgraded without a bundle, and whatever fails after the hook was called leads back to
// that bundle and to its version, together.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { workflowNames } from '../../src/contract/names.ts';
import type { HookRequest } from '../../src/contract/hooks.ts';
import type { UpgradeResult } from '../../src/contract/upgrade.ts';
import { Failure } from '../../src/domain/failure.ts';
import { Bench, failureOf, type Handle, isCancelRequested, statusOf, waitUntil } from './bench.ts';
import type { FakeLane, StepName } from './fake-lane.ts';
import { messageOfFailing } from './fake-steps.ts';

vi.setConfig({ maxConcurrency: 6 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

const [before, after] = ['2025.11.1', '2025.11.2'];

function install(lane: FakeLane, version: string): void {
  lane.survey = { ...lane.survey, openclawVersion: version };
}

/** A lane whose hooks do what they are for. */
function upgradable(name: string): FakeLane {
  const lane = bench.lane(name);
  install(lane, before);
  lane.chosen = { ...lane.chosen, openclawVersion: before };
  lane.onHook = (request) => {
    const { hook, input } = request as HookRequest<'upgrade'> | HookRequest<'pin'>;
    if (hook === 'pin') install(lane, input.version);
    else if (hook === 'upgrade') install(lane, input.to ?? after);
    return hook === 'upgrade' ? { version: lane.survey.openclawVersion ?? '' } : {};
  };
  return lane;
}

/** From its second call on: before the upgrade nobody tests. */
function unanswered(lane: FakeLane): FakeLane {
  const hook = lane.onHook;
  lane.onHook = (request) => {
    lane.smoke = { ...lane.smoke, answered: request.hook === 'pin', httpStatus: 401 };
    return hook(request);
  };
  return lane;
}

const upgrade = ({ name }: FakeLane, input: object = {}): Promise<Handle<UpgradeResult>> =>
  bench.start(workflowNames.upgradeLane, { lane: name, ...input });

function hooksOf(lane: FakeLane): string[] {
  return lane.hookCalls.map(({ hook, input }) =>
    'version' in input ? `${hook} ${input.version}` : `${hook} ${'from' in input ? input.from : ''}`,
  );
}

const wayBack: StepName[] = [
  'stopWriters',
  'openStage',
  'stageSegment',
  'finishRanges',
  'stageSegment',
  'stopWriters',
  'runHook',
  'surveyLane',
  'prepareSwap',
  'swapTrees',
  'rehydrateSecrets',
  'startGateway',
  'smokeTest',
  'commitRestore',
];

function expectBack(lane: FakeLane): void {
  expect(lane.survey.openclawVersion).toBe(before);
  expect(lane).toMatchObject({ tree: 'new', secrets: 'new', gateway: 'running', journal: null, restored: true });
  expect(lane.violations).toEqual([]);
  const order = lane.order.slice(lane.order.indexOf('stopWriters'));
  expect(order.filter((step) => !['tidyLane', 'writeReceipt', 'settleLane'].includes(step))).toEqual(wayBack);
}

describe.concurrent('an upgrade', () => {
  it('takes a tier B, calls the hook, looks what runs, and sends a message', async () => {
    const lane = upgradable('up');
    const result = await (await upgrade(lane, { to: after })).result();
    expect(result).toMatchObject({ from: before, to: after, messageAnswered: true, dryRun: false, warnings: [] });
    expect(result.bundle).toBe(lane.manifest?.bundle);
    expect(lane.manifest?.tier).toBe('B');
    const order = lane.order.slice(lane.order.indexOf('commitManifest'));
    expect(order.filter((step) => !['appendBackupLog', 'tidyLane', 'dropOldBaks'].includes(step))).toEqual([
      'commitManifest',
      'runHook',
      'surveyLane',
      'startGateway',
      'smokeTest',
      'writeReceipt',
    ]);
    expect(lane.hookCalls).toEqual([
      {
        hook: 'upgrade',
        fleetDigest: expect.stringMatching(/^(f1){32}$/),
        key: `${lane.id}/${result.bundle}/upgrade`,
        input: {
          lane: 'up',
          host: 'mac-1',
          address: '192.0.2.7',
          port: 22,
          login: 'operator',
          user: 'agent-lane-1',
          from: before,
          to: after,
        },
      },
    ]);
    expect(lane.receipts).toMatchObject([
      { kind: 'upgrade', outcome: 'passed', laneAfter: 'upgraded', messageAnswered: true, bundles: [] },
    ]);
    expect(lane.receipts[0]?.steps.map(({ step }) => step)).toEqual(['settle', 'check', 'backup', 'upgrade', 'smoke']);
    expect(lane).toMatchObject({ tree: 'old', gateway: 'running', journal: null, restored: false, violations: [] });
  });

  it('checks only, as a dry run', async () => {
    const lane = upgradable('dry');
    const result = await (await upgrade(lane, { dryRun: true })).result();
    expect(result).toMatchObject({ from: before, to: null, bundle: null, dryRun: true, receipt: null });
    expect(lane.hookCalls).toEqual([]);
    expect(lane.count('captureLane') + lane.receipts.length).toBe(0);
  });

  it.each([['upgrade'], ['pin']] as const)('does not begin without the hook %s', async (missing) => {
    const lane = upgradable(`without-${missing}`);
    lane.hooks = (['upgrade', 'pin'] as const).filter((kind) => kind !== missing);
    const failure = await failureOf(await upgrade(lane));
    expect(failure).toMatchObject({ code: 'HookMissing', message: `fleet.yaml has no hooks.${missing}` });
    expect(lane.count('captureLane')).toBe(0);
  });

  it('does not begin where there is no version to go back to, nor to one outside the profile', async () => {
    const mute = upgradable('mute');
    mute.survey = { ...mute.survey, openclawVersion: null };
    expect(await failureOf(await upgrade(mute))).toMatchObject({ code: 'VersionUnsupported' });
    const far = upgradable('far');
    expect(await failureOf(await upgrade(far, { to: '2099.1.1' }))).toMatchObject({ code: 'VersionUnsupported' });
    expect(mute.count('captureLane') + far.count('captureLane')).toBe(0);
  });

  it.each(['captureLane', 'backupSegment', 'commitManifest'] as const)(
    'does not begin when its bundle cannot be made (%s)',
    async (step) => {
      const lane = upgradable(`no-bundle-${step.toLowerCase()}`).told(step, { kind: 'fail' });
      expect(await failureOf(await upgrade(lane))).toMatchObject({ message: messageOfFailing(step) });
      expect(lane.hookCalls).toEqual([]);
      expect(lane.receipts).toMatchObject([{ kind: 'upgrade', outcome: 'failed', laneAfter: 'as-before' }]);
    },
  );

  it('does not begin on a suspect bundle', async () => {
    const lane = upgradable('suspect');
    lane.suspect = ['it shrank'];
    const failure = await failureOf(await upgrade(lane));
    expect(failure.code).toBe('UpgradeFailed');
    expect(failure.message).toMatch(/^lane suspect was not upgraded: the bundle \S+ that was taken first is suspect/);
    expect(lane.hookCalls).toEqual([]);
  });
});

describe.concurrent('state and version go back together', () => {
  it.each([
    ['the hook fails', 'runHook', 'HookFailed'],
    ['nothing is seen of the host afterwards', 'surveyLane', 'HostOutputUnexpected'],
    ['the gateway does not start', 'startGateway', 'GatewayWouldNotStart'],
    ['its test cannot be made', 'smokeTest', 'HostOutputUnexpected'],
  ] as const)('when %s', async (_, step, code) => {
    const lane = upgradable(`fails-${step.toLowerCase()}`);
    const nth = step === 'surveyLane' ? 3 : 1; // the first two look before the bundle is taken
    lane.told(step, { kind: 'fail', code, from: nth, to: nth });
    const failure = await failureOf(await upgrade(lane));
    expect(failure.code).toBe('UpgradeFailed');
    expect(failure.message).toBe(
      `the upgrade of lane ${lane.name} failed: ${code} ${messageOfFailing(step)}; rolled back to OpenClaw ${before} and bundle ${lane.manifest?.bundle}, gateway answers`,
    );
    expectBack(lane);
    expect(hooksOf(lane).at(-1)).toBe(`pin ${before}`);
    expect(lane.receipts).toMatchObject([
      { kind: 'upgrade', outcome: 'failed', failure: 'UpgradeFailed', laneAfter: 'restored', messageAnswered: true },
    ]);
  });

  it('when the message is not answered: the upgraded gateway is stopped before anything is fetched', async () => {
    const lane = unanswered(upgradable('unanswered'));
    const failure = await failureOf(await upgrade(lane));
    expect(failure.message).toMatch(
      /failed: MessageUnanswered .* HTTP status 401; rolled back to OpenClaw 2025\.11\.1/,
    );
    expectBack(lane);
    expect(hooksOf(lane)).toEqual([`upgrade ${before}`, `pin ${before}`]);
    const [up, pin] = lane.hookCalls;
    expect(up?.key).toBe(`${lane.id}/${lane.manifest?.bundle}/upgrade`);
    expect(pin?.key).toMatch(/\/pin$/);
  });

  it('when the host is of another version than the hook said, or than was asked for', async () => {
    const lane = upgradable('liar');
    const hook = lane.onHook;
    lane.onHook = (request) => (request.hook === 'pin' ? hook(request) : { version: after });
    const failure = await failureOf(await upgrade(lane, { to: after }));
    expect(failure.message).toContain(
      `OpenClaw on lane liar is ${before} after the upgrade hook, not ${after}; rolled`,
    );
    expectBack(lane);
  });

  it('when it is of a version outside the profile; not when that is accepted', async () => {
    const [lane, accepted] = [upgradable('outside'), upgradable('accepted')];
    for (const one of [lane, accepted]) {
      const hook = one.onHook;
      one.onHook = (request) => {
        if (request.hook === 'pin') return hook(request);
        install(one, '2099.1.1');
        return {};
      };
    }
    expect(await failureOf(await upgrade(lane))).toMatchObject({
      message: expect.stringContaining('2099.1.1 is outside'),
    });
    expectBack(lane);
    expect(await (await upgrade(accepted, { acceptVersion: true })).result()).toMatchObject({ to: '2099.1.1' });
  });

  it('when it is cancelled while the hook runs, and again on the way back', async () => {
    const lane = upgradable('cancelled').told('runHook', { kind: 'block', to: 1 }).told('swapTrees', { kind: 'block' });
    const handle = await upgrade(lane);
    await lane.reached('runHook');
    await handle.cancel();
    await lane.reached('swapTrees');
    await bench.handle(lane.id).cancel();
    await waitUntil('it is asked to end', () => isCancelRequested(bench.handle(lane.id)));
    lane.release('swapTrees');
    expect(await failureOf(handle)).toMatchObject({ code: 'Cancelled' });
    expect(await statusOf(handle)).toBe('CANCELLED');
    expectBack(lane);
  });

  it('not when it is cancelled before the hook: nothing was changed', async () => {
    const lane = upgradable('cancelled-early').told('commitManifest', { kind: 'block' });
    const handle = await upgrade(lane);
    await lane.reached('commitManifest');
    await handle.cancel();
    expect(await failureOf(handle)).toMatchObject({ code: 'Cancelled' });
    expect(lane.hookCalls).toEqual([]);
    expect(lane.count('stopWriters')).toBe(0);
  });

  it('when its section is terminated: who started it settles, and goes back in a section of its own', async () => {
    const lane = upgradable('terminated').told('smokeTest', { kind: 'block', to: 1 });
    const handle = await upgrade(lane);
    await lane.reached('smokeTest');
    await bench.handle(lane.id).terminate('gone');
    lane.release('smokeTest');
    const failure = await failureOf(handle);
    expect(failure.code).toBe('UpgradeFailed');
    expect(failure.message).toMatch(
      /^the section of lane terminated \(upgrade\) was terminated; .*; lane terminated was set back to bundle \S+ and its OpenClaw, gateway answers$/,
    );
    expectBack(lane);
    expect(lane.receipts).toMatchObject([{ kind: 'restore', outcome: 'passed' }]);
  });

  it('by its section when who started it is terminated', async () => {
    const lane = upgradable('orphan').told('runHook', { kind: 'block', to: 1 });
    const handle = await upgrade(lane);
    await lane.reached('runHook');
    await handle.terminate('gone');
    await waitUntil('the lane is back', () => lane.receipts.length > 0);
    expectBack(lane);
  });
});

describe.concurrent('a way back that fails is told as such', () => {
  it('the version is set forward again, and the lane is as the upgrade left it', async () => {
    const lane = unanswered(upgradable('no-way-back')).told('rehydrateSecrets', {
      kind: 'fail',
      code: 'KeychainLocked',
    });
    const failure = await failureOf(await upgrade(lane));
    expect(failure.code).toBe('UpgradeFailed');
    expect(failure.message).toMatch(
      /failed: MessageUnanswered .*; AND THE WAY BACK FAILED: KeychainLocked .*\. `\.\/clawback restore no-way-back --bundle \S+ --pin` tries it again$/,
    );
    expect(hooksOf(lane)).toEqual([`upgrade ${before}`, `pin ${before}`, `pin ${after}`]);
    expect(lane).toMatchObject({ tree: 'old', secrets: 'old', gateway: 'running', journal: null, violations: [] });
    expect(lane.survey.openclawVersion).toBe(after);
    expect(lane.receipts).toMatchObject([{ kind: 'upgrade', outcome: 'failed', laneAfter: 'upgraded' }]);
  });

  it('when the pin hook fails nothing is swapped', async () => {
    const lane = unanswered(upgradable('no-pin'));
    const hook = lane.onHook;
    lane.onHook = (request) => {
      if (request.hook === 'pin') throw new Failure('HookFailed', 'the hook pin ended with status 1');
      return hook(request);
    };
    const failure = await failureOf(await upgrade(lane));
    expect(failure.message).toMatch(
      /AND THE WAY BACK FAILED: HookFailed the hook pin ended with status 1; and OpenClaw/,
    );
    expect(lane.count('swapTrees')).toBe(0);
    expect(lane).toMatchObject({ tree: 'old', secrets: 'old', gateway: 'running', journal: null, violations: [] });
  });

  it('when the pin hook does nothing it is found out', async () => {
    const lane = unanswered(upgradable('idle-pin'));
    const hook = lane.onHook;
    lane.onHook = (request) => {
      if (request.hook !== 'pin') return hook(request);
      lane.smoke = { ...lane.smoke, answered: true };
      return {};
    };
    const failure = await failureOf(await upgrade(lane));
    expect(failure.message).toContain(
      `the hook pin ended well, but OpenClaw on lane idle-pin is ${after}, not ${before}`,
    );
    expect(lane.count('swapTrees')).toBe(0);
  });

  it('a lane that could not even be settled says both causes', async () => {
    const lane = unanswered(upgradable('unsettled'))
      .told('swapTrees', { kind: 'fail' })
      .told('settleLane', { kind: 'fail', code: 'KeychainLocked', from: 2 });
    const failure = await failureOf(await upgrade(lane));
    expect(failure.code).toBe('LaneUnsettled');
    expect(failure.message).toContain('AND THE WAY BACK FAILED');
    expect(lane.receipts).toMatchObject([{ kind: 'upgrade', laneAfter: 'unsettled' }]);
  });
});
