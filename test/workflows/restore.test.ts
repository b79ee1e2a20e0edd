// A restore with every step failing, cancelled while it runs, and losing its answer: the lane ends as it was or
// restored, is put right exactly when something was journalled, and the operator reads the first cause.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { Bench, failureOf, statusOf, waitUntil } from './bench.ts';
import { type FakeLane, type StepName, wholeBundle } from './fake-lane.ts';
import { messageOfFailing } from './fake-steps.ts';

// a run waits for the server's answers more than it computes, and each test has a lane of its own
vi.setConfig({ maxConcurrency: 12 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

const checks: StepName[] = ['requirePollers', 'surveyLane', 'chooseBundles', 'preflightRestore', 'checkBundles'];
const staging: StepName[] = ['openStage', 'stageSegment', 'finishRanges'];
const changes: StepName[] = [
  'stopWriters',
  'prepareSwap',
  'swapTrees',
  'rehydrateSecrets',
  'startGateway',
  'smokeTest',
];

/** The order of a live restore, with retries and repeats in a row once. */
const live: StepName[] = [
  'resolveLane',
  'describeLane',
  'settleLane',
  ...checks,
  'openStage',
  'stageSegment',
  'finishRanges',
  'stageSegment',
  ...changes,
  'commitRestore',
  'tidyLane',
  'writeReceipt',
];

function expectAsItWas(lane: FakeLane): void {
  expect(lane).toMatchObject({ tree: 'old', secrets: 'old', gateway: 'running', journal: null, stage: null });
  expect({ restored: lane.restored, violations: lane.violations }).toEqual({ restored: false, violations: [] });
}

function expectRestored(lane: FakeLane): void {
  expect(lane).toMatchObject({ tree: 'new', secrets: 'new', gateway: 'running', journal: null, stage: null });
  expect({ restored: lane.restored, violations: lane.violations }).toEqual({ restored: true, violations: [] });
}

describe.concurrent('a live restore', () => {
  it('checks, stages, stops, swaps, rehydrates, starts, tests and commits, in this order', async () => {
    const lane = bench.lane('whole');
    const result = await (await bench.restore(lane)).result();
    expect(lane.order).toEqual(live);
    // Two streams stage what is of one rank, in whichever order they end; the supplement and the directories wait.
    expect(lane.staged.slice(0, 3).toSorted()).toEqual(['s-0001', 's-0002', 's-0003']);
    expect(lane.staged.slice(3)).toEqual(['s-0005', 's-0004']);
    expect(result).toMatchObject({
      into: 'live',
      messageAnswered: true,
      bakEpoch: 1_795_000_000,
      overBudget: [],
      warnings: [],
    });
    expect(result.steps.map(({ step }) => step)).toEqual(['stop', 'tree', 'secrets', 'smoke']);
    expectRestored(lane);
  });

  it('goes on with the replica when its store is gone in the middle, asks that first from then on, and says so', async () => {
    const lane = bench.lane('primary-gone');
    lane.spec = { ...lane.spec, replica: 'far', limits: { ...lane.spec.limits, streams: 1 } };
    lane.chosen = { ...wholeBundle, copies: { store: 'primary', replica: 'far' } };
    lane.primaryGoneAt = 's-0002';
    const result = await (await bench.restore(lane)).result();
    expect([...lane.askedFirst.entries()].slice(0, 3)).toEqual([
      ['s-0001', 'primary'],
      ['s-0002', 'primary'],
      ['s-0003', 'far'],
    ]);
    expect(lane.calls.find(({ step }) => step === 'rehydrateSecrets')?.input).toMatchObject({
      store: 'far',
      replica: 'primary',
    });
    expect(result).toMatchObject({
      plan: { store: 'primary' },
      stores: [
        { store: 'primary', segments: 1 },
        { store: 'far', segments: 4 },
      ],
      warnings: ['4 segments came from store far, for primary could not give them'],
    });
    expectRestored(lane);
  });

  it.each(['describeLane', 'settleLane', ...checks])(
    'ends with the cause and touches nothing when %s fails',
    async (step) => {
      const lane = bench.lane(`fails-${step.toLowerCase()}`).told(step as StepName, { kind: 'fail' });
      const failure = await failureOf(await bench.restore(lane));
      expect(failure).toMatchObject({ code: 'HostOutputUnexpected', message: messageOfFailing(step as StepName) });
      const signed = step === 'describeLane' ? [] : ['writeReceipt'];
      expect(lane.order).toEqual([...live.slice(0, live.indexOf(step as StepName) + 1), ...signed]);
      expectAsItWas(lane);
    },
  );

  it.each(staging)('removes its staging tree and settles nothing when %s fails', async (step) => {
    const lane = bench.lane(`fails-${step.toLowerCase()}`).told(step, { kind: 'fail' });
    const failure = await failureOf(await bench.restore(lane));
    expect(failure).toMatchObject({ code: 'HostOutputUnexpected', message: messageOfFailing(step) });
    expect(lane.count('settleLane')).toBe(1);
    expect(lane.order.slice(-3)).toEqual([step, 'tidyLane', 'writeReceipt']);
    expectAsItWas(lane);
  });

  it.each(changes)('settles the lane back to its old tree when %s fails', async (step) => {
    const lane = bench.lane(`fails-${step.toLowerCase()}`).told(step, { kind: 'fail' });
    const failure = await failureOf(await bench.restore(lane));
    expect(failure).toMatchObject({ code: 'HostOutputUnexpected', message: messageOfFailing(step) });
    expect(lane.count('settleLane')).toBe(2);
    expect(lane.order).toContain('settleLane');
    expect(lane.count('commitRestore')).toBe(0);
    expectAsItWas(lane);
  });

  it('settles the lane back when the commit is refused', async () => {
    const lane = bench.lane('fails-commit').told('commitRestore', { kind: 'fail', code: 'JournalDamaged' });
    expect(await failureOf(await bench.restore(lane))).toMatchObject({
      code: 'JournalDamaged',
      message: messageOfFailing('commitRestore'),
    });
    expectAsItWas(lane);
  });

  it.each([...checks, ...staging])('touches nothing when it is cancelled while %s runs', async (step) => {
    const lane = bench.lane(`cancelled-${step.toLowerCase()}`).told(step, { kind: 'block' });
    const handle = await bench.restore(lane);
    await lane.reached(step);
    await handle.cancel();
    expect(await failureOf(handle)).toMatchObject({ code: 'Cancelled' });
    expect(await statusOf(handle)).toBe('CANCELLED');
    expect(lane.count('settleLane')).toBe(1);
    expectAsItWas(lane);
  });

  it.each(changes)('settles the lane back when it is cancelled while %s runs', async (step) => {
    const lane = bench.lane(`cancelled-${step.toLowerCase()}`).told(step, { kind: 'block' });
    const handle = await bench.restore(lane);
    await lane.reached(step);
    await handle.cancel();
    expect(await failureOf(handle)).toMatchObject({ code: 'Cancelled' });
    expect(await statusOf(handle)).toBe('CANCELLED');
    expect(lane.count('settleLane')).toBe(2);
    expect(lane.count('commitRestore')).toBe(0);
    expectAsItWas(lane);
  });

  it('stands when it is cancelled while the commit runs: what is committed is not called cancelled', async () => {
    const lane = bench.lane('cancelled-commit').told('commitRestore', { kind: 'block' });
    const handle = await bench.restore(lane);
    await lane.reached('commitRestore');
    await handle.cancel();
    await cancelRequested(lane);
    lane.release('commitRestore');
    expect(await handle.result()).toMatchObject({ into: 'live', messageAnswered: true });
    expectRestored(lane);
  });

  it('stands when it is cancelled while it tidies up after the commit', async () => {
    const lane = bench.lane('cancelled-tidy').told('tidyLane', { kind: 'block' });
    const handle = await bench.restore(lane);
    await lane.reached('tidyLane');
    await handle.cancel();
    await cancelRequested(lane);
    lane.release('tidyLane');
    expect(await handle.result()).toMatchObject({ into: 'live', warnings: [] });
    expectRestored(lane);
  });

  it('stands, with a warning, when the staging tree cannot be removed after the commit', async () => {
    const lane = bench.lane('fails-tidy').told('tidyLane', { kind: 'fail' });
    const result = await (await bench.restore(lane)).result();
    expect(result.warnings).toEqual([`the staging tree was not removed: ${messageOfFailing('tidyLane')}`]);
    expect(lane).toMatchObject({ tree: 'new', secrets: 'new', gateway: 'running', journal: null, restored: true });
  });

  it('names the first cause also when the staging tree cannot be removed', async () => {
    const lane = bench
      .lane('two-causes')
      .told('stageSegment', { kind: 'fail', code: 'BundleDamaged' })
      .told('tidyLane', { kind: 'fail' });
    const failure = await failureOf(await bench.restore(lane));
    expect(failure.code).toBe('BundleDamaged');
    expect(failure.message).toBe(
      `${messageOfFailing('stageSegment')}; and the staging tree was not removed: ${messageOfFailing('tidyLane')}`,
    );
  });

  it.each([
    ['of its entry', ['resolveLane', 'describeLane', 'settleLane']],
    ['of its checks', checks],
    ['of its staging', staging],
    ['of its changes', changes],
    ['after the test', ['commitRestore', 'tidyLane']],
  ] as const)('succeeds, and does nothing twice, when every first answer %s is lost', async (which, steps) => {
    const lane = bench.lane(`loses-${which.replaceAll(' ', '-')}`);
    for (const step of steps) lane.told(step, { kind: 'lose', attempts: 1 });
    await (await bench.restore(lane)).result();
    expect(new Set(lane.order)).toEqual(new Set(live));
    for (const step of steps) expect(lane.calls.some((call) => call.step === step && call.attempt === 2)).toBe(true);
    expectRestored(lane);
  });

  it.each(['stopWriters', 'swapTrees', 'rehydrateSecrets', 'startGateway', 'commitRestore'] as const)(
    'ends with the lane as it was, or restored, when %s does its work and then fails for good',
    async (step) => {
      const lane = bench.lane(`half-${step.toLowerCase()}`).told(step, { kind: 'lose', code: 'HostOutputUnexpected' });
      expect(await failureOf(await bench.restore(lane))).toMatchObject({ code: 'HostOutputUnexpected' });
      expect(lane.count('settleLane')).toBe(2);
      expect(lane).toMatchObject({ gateway: 'running', journal: null, violations: [] });
      expect(lane.tree).toBe(lane.restored ? 'new' : 'old');
    },
  );

  it('leaves no staging tree when the writers could not even be asked to stop', async () => {
    const lane = bench.lane('no-stop').told('stopWriters', { kind: 'fail', code: 'SudoRefused' });
    expect(await failureOf(await bench.restore(lane))).toMatchObject({ code: 'SudoRefused' });
    expect(lane.stage).toBeNull();
  });
});

describe.concurrent('putting right', () => {
  it('is not cancelled, however often the restore and its section are', async () => {
    const lane = bench
      .lane('stubborn')
      .told('swapTrees', { kind: 'fail' })
      .told('settleLane', { kind: 'block', from: 2 });
    const handle = await bench.restore(lane);
    await lane.reached('settleLane');
    await handle.cancel();
    await cancelRequested(lane);
    await bench.handle(lane.id).cancel();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await statusOf(bench.handle(lane.id))).toBe('RUNNING');
    lane.release('settleLane');
    expect(await failureOf(handle)).toMatchObject({ message: messageOfFailing('swapTrees') });
    expectAsItWas(lane);
  });

  it('that fails ends as LaneUnsettled with both causes', async () => {
    const lane = bench
      .lane('unsettled')
      .told('swapTrees', { kind: 'fail' })
      .told('settleLane', { kind: 'fail', code: 'KeychainLocked', from: 2 });
    const failure = await failureOf(await bench.restore(lane));
    expect(failure.code).toBe('LaneUnsettled');
    expect(failure.message).toBe(
      `lane unsettled could not be put right: KeychainLocked ${messageOfFailing('settleLane')}; it was to be put right after: HostOutputUnexpected ${messageOfFailing('swapTrees')}`,
    );
  });

  it('is tried again and again while the host does not answer', async () => {
    const lane = bench
      .lane('flaky')
      .told('swapTrees', { kind: 'fail' })
      .told('settleLane', { kind: 'fail', code: 'HostUnreachable', from: 2, to: 4 });
    expect(await failureOf(await bench.restore(lane))).toMatchObject({ message: messageOfFailing('swapTrees') });
    expect(lane.count('settleLane')).toBe(5);
    expectAsItWas(lane);
  });
});

describe.concurrent('a restore that is refused or only planned', () => {
  it('fails and goes back when the gateway is healthy but answers no message', async () => {
    const lane = bench.lane('mute');
    lane.smoke = { healthy: true, answered: false, httpStatus: 401, diskUsedRatio: 0.5 };
    const failure = await failureOf(await bench.restore(lane));
    expect(failure.code).toBe('MessageUnanswered');
    expect(failure.message).toBe('the gateway of lane mute is healthy, but the test message got HTTP status 401');
    expectAsItWas(lane);
  });

  it('fails and goes back when the gateway is not healthy', async () => {
    const lane = bench.lane('ill');
    lane.smoke = { healthy: false, answered: false, httpStatus: 0, diskUsedRatio: 0.5 };
    expect(await failureOf(await bench.restore(lane))).toMatchObject({ code: 'GatewayWouldNotStart' });
    expectAsItWas(lane);
  });

  it('warns, and stands, when the volume is fuller than the mark', async () => {
    const lane = bench.lane('full');
    lane.smoke = { healthy: true, answered: true, httpStatus: 200, diskUsedRatio: 0.87 };
    const result = await (await bench.restore(lane)).result();
    expect(result.warnings).toEqual(["the lane's volume is 87 % full, the mark is 80 %"]);
    expectRestored(lane);
  });

  it('refuses an unknown version and another profile, unless the operator accepts it', async () => {
    const lane = bench.lane('version');
    lane.survey = { ...lane.survey, versionKnown: false };
    expect(await failureOf(await bench.restore(lane))).toMatchObject({ code: 'VersionUnsupported' });
    lane.survey = { ...lane.survey, versionKnown: true };
    lane.chosen = { ...wholeBundle, profile: 'openclaw-2026' };
    expect(await failureOf(await bench.restore(lane))).toMatchObject({ code: 'VersionUnsupported' });
    expect(lane.count('preflightRestore')).toBe(0);
    await (await bench.restore(lane, { acceptVersion: true })).result();
    expectRestored(lane);
  });

  it('changes nothing as a dry run, and answers the plan', async () => {
    const lane = bench.lane('dry');
    const result = await (await bench.restore(lane, { dryRun: true })).result();
    expect(lane.order).toEqual(['resolveLane', 'describeLane', 'settleLane', ...checks]);
    expect(result).toMatchObject({
      into: 'plan',
      bakEpoch: null,
      plan: { segments: 6, neededBytes: 12_000, proven: true },
    });
    expectAsItWas(lane);
  });

  it('is refused for Keychain items alone where the lane names none', async () => {
    const lane = bench.lane('no-items');
    lane.spec = { ...lane.spec, secrets: [] };
    expect(await failureOf(await bench.restore(lane, { only: 'secrets' }))).toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('names no Keychain items'),
    });
    expectAsItWas(lane);
  });

  it('stages no secrets and writes none when only transcripts are asked for', async () => {
    const lane = bench.lane('only');
    lane.chosen = {
      ...wholeBundle,
      sources: [{ bundle: wholeBundle.bundle, components: ['transcripts'] }],
      segments: wholeBundle.segments.filter(({ component }) => component === 'transcripts'),
    };
    lane.secrets = 'new'; // the model compares trees with secrets, which stay what they are
    await (await bench.restore(lane, { only: 'transcripts' })).result();
    expect(lane.count('rehydrateSecrets')).toBe(0);
    expect(lane.calls.find(({ step }) => step === 'prepareSwap')?.input).toMatchObject({
      components: ['transcripts'],
      plists: false,
      secrets: [],
    });
    expect(lane.restored).toBe(true);
  });
});

describe.concurrent('a sandbox restore', () => {
  it('stages, checks and removes, and stops nothing', async () => {
    const lane = bench.lane('sandbox');
    const result = await (await bench.restore(lane, { into: 'sandbox' })).result();
    expect(result).toMatchObject({ into: 'sandbox', bakEpoch: null, messageAnswered: false });
    expect(lane.order.slice(-3)).toEqual(['checkSandbox', 'tidyLane', 'writeReceipt']);
    expect(lane.count('stopWriters')).toBe(0);
    expectAsItWas(lane);
  });

  it('is removed when its check fails, and the check is the cause', async () => {
    const lane = bench.lane('sandbox-fails').told('checkSandbox', { kind: 'fail' });
    expect(await failureOf(await bench.restore(lane, { into: 'sandbox' }))).toMatchObject({
      message: messageOfFailing('checkSandbox'),
    });
    expectAsItWas(lane);
  });

  it('is removed when it is cancelled while it is checked', async () => {
    const lane = bench.lane('sandbox-cancelled').told('checkSandbox', { kind: 'block' });
    const handle = await bench.restore(lane, { into: 'sandbox' });
    await lane.reached('checkSandbox');
    await handle.cancel();
    expect(await failureOf(handle)).toMatchObject({ code: 'Cancelled' });
    expectAsItWas(lane);
  });

  it('fails when it cannot be removed: what was staged must not stay', async () => {
    const lane = bench.lane('sandbox-stays').told('tidyLane', { kind: 'fail' });
    expect(await failureOf(await bench.restore(lane, { into: 'sandbox' }))).toMatchObject({
      message: messageOfFailing('tidyLane'),
    });
  });
});

describe.concurrent('an undo', () => {
  async function restored(name: string): Promise<FakeLane> {
    const lane = bench.lane(name);
    await (await bench.restore(lane)).result();
    lane.calls.length = 0;
    return lane;
  }

  it('goes back to the old tree by the one repair code', async () => {
    const lane = await restored('undone');
    const result = await (await bench.restore(lane, { undo: true })).result();
    expect(lane.order).toEqual([
      'resolveLane',
      'describeLane',
      'settleLane',
      'beginUndo',
      'settleLane',
      'smokeTest',
      'writeReceipt',
    ]);
    expect(result).toMatchObject({ into: 'undo', plan: null, messageAnswered: true, bakEpoch: 1_795_000_000 });
    expectAsItWas(lane);
  });

  it('warns when the old tree answers no message', async () => {
    const lane = await restored('undone-mute');
    lane.smoke = { healthy: true, answered: false, httpStatus: 401, diskUsedRatio: 0.9 };
    const { warnings } = await (await bench.restore(lane, { undo: true })).result();
    expect(warnings).toEqual([
      "the old tree's gateway answers no message (HTTP status 401)",
      "the lane's volume is 90 % full, the mark is 80 %",
    ]);
  });

  it('is refused where there is nothing to undo', async () => {
    const lane = bench.lane('nothing-to-undo');
    expect(await failureOf(await bench.restore(lane, { undo: true }))).toMatchObject({ code: 'NothingToUndo' });
    expectAsItWas(lane);
  });

  it('is settled when its first step turned the journal round and then failed for good', async () => {
    const lane = (await restored('undo-half')).told('beginUndo', { kind: 'lose', code: 'HostOutputUnexpected' });
    expect(await failureOf(await bench.restore(lane, { undo: true }))).toMatchObject({ code: 'HostOutputUnexpected' });
    expect(lane.journal).toBeNull();
  });

  it("tells at once when the old tree's gateway does not start, and asks it nothing", async () => {
    const lane = await restored('undone-dead');
    lane.startsAfterUndo = false;
    const result = await (await bench.restore(lane, { undo: true })).result();
    expect(lane.order).not.toContain('smokeTest');
    expect(result).toMatchObject({
      messageAnswered: false,
      warnings: ["the lane is back at its old tree, but that tree's gateway does not start"],
    });
  });

  it.each(['beginUndo', 'settleLane', 'smokeTest'] as const)(
    'that is cancelled while %s runs ends as what it is by then: undone',
    async (step) => {
      const from = step === 'settleLane' ? 2 : 1;
      const lane = (await restored(`undo-cancelled-${step.toLowerCase()}`)).told(step, { kind: 'block', from });
      const handle = await bench.restore(lane, { undo: true });
      await lane.reached(step);
      await handle.cancel();
      await cancelRequested(lane);
      lane.release(step);
      expect(await handle.result()).toMatchObject({ into: 'undo', messageAnswered: true });
      expectAsItWas(lane);
    },
  );

  it('that is cancelled before it began leaves the restored tree', async () => {
    const lane = (await restored('undo-cancelled-early')).told('describeLane', { kind: 'block' });
    const handle = await bench.restore(lane, { undo: true });
    await lane.reached('describeLane');
    await handle.cancel();
    await cancelRequested(lane);
    lane.release('describeLane');
    expect(await failureOf(handle)).toMatchObject({ code: 'Cancelled' });
    expect(lane.count('beginUndo')).toBe(0);
    expect(lane).toMatchObject({ tree: 'new', journal: null, gateway: 'running' });
  });
});

/** Until the section has heard of the cancellation: only then is what follows a test of not heeding it. */
async function cancelRequested(lane: FakeLane): Promise<void> {
  await waitUntil('the section is asked to end', async () => {
    const { events } = await bench.handle(lane.id).fetchHistory();
    return (events ?? []).some((event) => event.workflowExecutionCancelRequestedEventAttributes);
  });
  // and time for a heartbeat to carry it to the step, where it may go
  await new Promise((resolve) => setTimeout(resolve, 500));
}
