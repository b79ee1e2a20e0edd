// A backup with every step failing, cancelled while it runs, and losing its answer: whole or absent, and no finished
// segment is sent twice. Lost plans, torn files and segments that are in the store already.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { limits } from '../../src/domain/limits.ts';
import { Bench, failureOf, isCancelRequested, statusOf, waitUntil } from './bench.ts';
import { type FakeLane, planOf, segmentPlan, type StepName } from './fake-lane.ts';
import { messageOfFailing } from './fake-steps.ts';

vi.setConfig({ maxConcurrency: 12 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

const entry: StepName[] = ['describeLane', 'settleLane'];
const work: StepName[] = [
  'requirePollers',
  'surveyLane',
  'captureLane',
  'findReusable',
  'backupSegment',
  'backupSecrets',
];
const after: StepName[] = ['appendBackupLog', 'tidyLane', 'dropOldBaks'];
const whole: StepName[] = ['resolveLane', ...entry, ...work, 'commitManifest', ...after];

/** Nothing stopped, nothing left on the lane, and nothing put right that was not journalled. */
function expectUntouched(lane: FakeLane): void {
  expect(lane).toMatchObject({ gateway: 'running', tree: 'old', journal: null, runDirectory: null, violations: [] });
  expect(lane.calls.filter(({ step, attempt }) => step === 'settleLane' && attempt === 1).length).toBeLessThanOrEqual(
    1,
  );
}

/** The manifest names each planned segment once, with the result of that very segment. */
function expectWholeManifest(lane: FakeLane): void {
  const { plan, results } = lane.manifest ?? { plan: planOf([]), results: [] };
  expect(results.map(({ id }) => id)).toEqual(plan.segments.map(({ id }) => id));
  expect(new Set(results.map(({ id }) => id)).size).toBe(results.length);
}

describe.concurrent('a backup', () => {
  it('surveys, plans, streams, commits, logs and tidies, in this order, and stops nothing', async () => {
    const lane = bench.lane('whole');
    const handle = await bench.backup(lane);
    const result = await handle.result();
    expect(lane.order).toEqual(whole);
    expect(result).toMatchObject({ segments: 4, reusedSegments: 0, sizeBytes: 4_000, suspect: [], warnings: [] });
    expect(result.sealedBytes).toBe(4 * 1_400);
    expect(lane.logLines).toMatchObject([
      { outcome: 'ok', errorCode: null, tier: 'B', bundle: result.bundle, sizeBytes: 4_000 },
    ]);
    expectWholeManifest(lane);
    expectUntouched(lane);
    const { searchAttributes } = await handle.describe();
    expect(searchAttributes).toMatchObject({
      ClawbackHost: ['mac-1'],
      ClawbackLane: ['whole'],
      ClawbackTier: ['B'],
      ClawbackVerdict: ['ok'],
    });
  });

  it('takes no secrets where there are none', async () => {
    const lane = bench.lane('plain');
    lane.plans = [planOf([segmentPlan('s-0001')])];
    lane.spec = { ...lane.spec, secrets: [] };
    expect(await (await bench.backup(lane, { tier: 'A' })).result()).toMatchObject({ segments: 1, tier: 'A' });
    expect(lane.count('backupSecrets')).toBe(0);
  });

  it('of a clone reads all of it from there, and hands on what the capture warned of', async () => {
    const lane = bench.lane('cloned');
    lane.plans = [planOf([segmentPlan('s-0001')], { consistency: 'cloned', warnings: ['it took long'] })];
    lane.torn.set('s-0001', 1);
    const { warnings } = await (await bench.backup(lane)).result();
    expect(warnings).toEqual(['it took long']);
    const asked = lane.calls.filter(({ step }) => step === 'backupSegment' || step === 'planSupplement');
    expect(asked).toHaveLength(3);
    for (const { input } of asked) expect(input).toMatchObject({ consistency: 'cloned' });
    expect(lane.manifest?.plan.consistency).toBe('cloned');
  });

  it.each(entry)('fails with the cause, and has nothing to tidy, when %s fails', async (step) => {
    const lane = bench.lane(`fails-${step.toLowerCase()}`).told(step, { kind: 'fail' });
    expect(await failureOf(await bench.backup(lane))).toMatchObject({
      code: 'HostOutputUnexpected',
      message: messageOfFailing(step),
    });
    expect(lane.order.at(-1)).toBe(step);
    expectUntouched(lane);
  });

  it.each([...work, 'commitManifest'] as const)(
    'commits nothing, tells the cause and tidies up when %s fails',
    async (step) => {
      const lane = bench.lane(`fails-${step.toLowerCase()}`).told(step, { kind: 'fail' });
      const handle = await bench.backup(lane);
      expect(await failureOf(handle)).toMatchObject({
        code: 'HostOutputUnexpected',
        message: messageOfFailing(step),
      });
      expect(lane.manifest).toBeNull();
      expect(lane.logLines).toMatchObject([
        { outcome: 'failed', errorCode: 'HostOutputUnexpected', manifestSha256: null },
      ]);
      expect(lane.order.slice(-3)).toEqual([step, 'appendBackupLog', 'tidyLane']);
      expectUntouched(lane);
      expect((await handle.describe()).searchAttributes).toMatchObject({ ClawbackVerdict: ['failed'] });
    },
  );

  it.each([...work, 'commitManifest'] as const)(
    'commits nothing and tidies up when it is cancelled while %s runs',
    async (step) => {
      const lane = bench.lane(`cancelled-${step.toLowerCase()}`).told(step, { kind: 'block' });
      const handle = await bench.backup(lane);
      await lane.reached(step);
      await handle.cancel();
      expect(await failureOf(handle)).toMatchObject({ code: 'Cancelled' });
      expect(await statusOf(handle)).toBe('CANCELLED');
      expect(lane.manifest).toBeNull();
      expect(lane.logLines).toMatchObject([{ outcome: 'cancelled', errorCode: 'Cancelled' }]);
      expect((await handle.describe()).searchAttributes).toMatchObject({ ClawbackVerdict: ['cancelled'] });
      expectUntouched(lane);
    },
  );

  it('begins nothing when it is cancelled while an earlier run is settled, which goes on to its end', async () => {
    const lane = bench.lane('cancelled-first').told('settleLane', { kind: 'block' });
    const handle = await bench.backup(lane);
    await lane.reached('settleLane');
    await handle.cancel();
    await waitUntil('the section has been asked to end', () => isCancelRequested(bench.handle(lane.id)));
    expect(await statusOf(bench.handle(lane.id))).toBe('RUNNING');
    lane.release('settleLane');
    expect(await failureOf(handle)).toMatchObject({ code: 'Cancelled' });
    expect(lane.count('surveyLane') + lane.count('captureLane')).toBe(0);
  });

  it.each([
    ['of its entry', ['resolveLane', ...entry, 'surveyLane']],
    ['of its plans', ['captureLane', 'findReusable']],
    ['of its streams', ['backupSegment', 'backupSecrets', 'commitManifest']],
    ['after the commit', after],
  ] as const)('succeeds when every first answer %s is lost', async (which, steps) => {
    const lane = bench.lane(`loses-${which.replaceAll(' ', '-')}`);
    for (const step of steps) lane.told(step, { kind: 'lose', attempts: 1 });
    await (await bench.backup(lane)).result();
    expect(lane.order).toEqual(whole);
    for (const step of steps) expect(lane.calls.some((call) => call.step === step && call.attempt === 2)).toBe(true);
    expectWholeManifest(lane);
    expectUntouched(lane);
  });

  it('commits the same manifest under every retry', async () => {
    const lane = bench.lane('recommits').told('commitManifest', { kind: 'lose', to: 2 });
    await (await bench.backup(lane)).result();
    const inputs = lane.calls.filter(({ step }) => step === 'commitManifest').map(({ input }) => JSON.stringify(input));
    expect(inputs).toHaveLength(3);
    expect(new Set(inputs).size).toBe(1);
  });

  it.each([
    ['appendBackupLog', 'the log line on the host was not written'],
    ['tidyLane', 'the run directory on the lane was not removed'],
    ['dropOldBaks', 'what the last restore replaced was not removed'],
  ] as const)('stands, with a warning, when %s fails after the commit', async (step, what) => {
    const lane = bench.lane(`warns-${step.toLowerCase()}`).told(step, { kind: 'fail' });
    const { warnings } = await (await bench.backup(lane)).result();
    expect(warnings).toEqual([`${what}: ${messageOfFailing(step)}`]);
    expectWholeManifest(lane);
  });

  it('does not wait for a segment between two tries when another has failed for good', async () => {
    const lane = bench
      .lane('gives-up')
      .told('backupSegment', { kind: 'fail', code: 'HostUnreachable', to: 1 })
      .told('backupSegment', { kind: 'fail', from: 2, to: 2 })
      .told('backupSegment', { kind: 'fail', code: 'HostUnreachable', from: 3 });
    const handle = await bench.backup(lane);
    expect(await failureOf(handle)).toMatchObject({ code: 'HostOutputUnexpected' });
    // of eight tries of the first, one or two fit in until the other's failure is known
    expect(lane.count('backupSegment')).toBeLessThanOrEqual(4);
    expectUntouched(lane);
  });

  it('keeps what a restore replaced when the bundle is suspect, and says so in its verdict', async () => {
    const lane = bench.lane('suspect');
    lane.suspect = ['it shrank by half'];
    const handle = await bench.backup(lane);
    expect(await handle.result()).toMatchObject({ suspect: ['it shrank by half'] });
    expect(lane.count('dropOldBaks')).toBe(0);
    expect(lane.logLines).toMatchObject([{ outcome: 'suspect' }]);
    expect((await handle.describe()).searchAttributes).toMatchObject({ ClawbackVerdict: ['suspect'] });
  });
});

describe.concurrent('a lost plan', () => {
  const kept = segmentPlan('s-0001');
  const fresh = segmentPlan('s-0002', { reusable: false });
  const late = segmentPlan('s-0003');

  function withPlans(name: string): FakeLane {
    const lane = bench.lane(name);
    lane.spec = { ...lane.spec, secrets: [], limits: { ...lane.spec.limits, streams: 1 } };
    // the same segments under other ids, as another listing may number them
    const again = [late, kept, fresh].map((segment, at) => ({ ...segment, id: `s-000${at + 1}` }));
    lane.plans = [planOf([kept, fresh, late]), planOf(again)];
    return lane;
  }

  it('is made anew, and no finished segment of it is sent again but those that may not be reused', async () => {
    const lane = withPlans('plan-lost').told('backupSegment', { kind: 'fail', code: 'PlanLost', from: 3, to: 3 });
    const result = await (await bench.backup(lane)).result();
    expect(lane.count('captureLane')).toBe(2);
    expect(lane.sent).toEqual([kept.fingerprint, fresh.fingerprint, late.fingerprint, fresh.fingerprint]);
    expect(result).toMatchObject({ segments: 3, reusedSegments: 0, sealedBytes: 3 * 1_400 });
    expectWholeManifest(lane);
    expect(lane.manifest?.results.map(({ id }) => id)).toEqual(['s-0001', 's-0002', 's-0003']);
  });

  it('fails the backup the third time', async () => {
    const lane = withPlans('plan-lost-thrice').told('backupSegment', { kind: 'fail', code: 'PlanLost', from: 2 });
    expect(await failureOf(await bench.backup(lane))).toMatchObject({ code: 'PlanLost' });
    expect(lane.count('captureLane')).toBe(3);
    expect(lane.sent).toEqual([kept.fingerprint]);
    expect(lane.manifest).toBeNull();
  });
});

describe.concurrent('torn files', () => {
  it('are taken again into supplements, until they hold still', async () => {
    const lane = bench.lane('torn');
    // s-0003 is the database's; supplements count on from there
    lane.torn.set('s-0001', 2).set('s-0002', 1).set('s-0005', 1);
    const result = await (await bench.backup(lane)).result();
    const asked = lane.calls.filter(({ step }) => step === 'planSupplement').map(({ input }) => input);
    expect(asked).toMatchObject([
      {
        firstNumber: 4,
        segments: [
          { id: 's-0001', base: 'home' },
          { id: 's-0002', base: 'home' },
        ],
      },
      { firstNumber: 6, segments: [{ id: 's-0005', base: 'home' }] },
    ]);
    expect(result).toMatchObject({ segments: 7 });
    expect(lane.manifest?.plan.segments.filter(({ supplement }) => supplement).map(({ id }) => id)).toEqual([
      's-0004',
      's-0005',
      's-0006',
    ]);
    expectWholeManifest(lane);
  });

  it('that never hold still fail the bundle after the last round', async () => {
    const lane = bench.lane('never-still');
    for (const id of ['s-0001', 's-0004', 's-0005', 's-0006', 's-0007']) lane.torn.set(id, 1);
    const failure = await failureOf(await bench.backup(lane));
    expect(failure.code).toBe('FileNeverStill');
    expect(failure.message).toBe(
      '1 supplement segments of lane never-still held files that kept changing over 3 rounds',
    );
    expect(lane.count('planSupplement')).toBe(limits.supplementRounds);
    expect(lane.manifest).toBeNull();
    expectUntouched(lane);
  });

  it('are not kept when the plan is lost, though their segment may be reused', async () => {
    const lane = bench.lane('torn-and-lost').told('planSupplement', { kind: 'fail', code: 'PlanLost', to: 1 });
    lane.spec = { ...lane.spec, secrets: [] };
    lane.plans = [planOf([segmentPlan('s-0001'), segmentPlan('s-0002')])];
    lane.torn.set('s-0001', 1);
    await (await bench.backup(lane)).result();
    expect(lane.sent.filter((fingerprint) => fingerprint.startsWith('s-0001'))).toHaveLength(2);
    expect(lane.sent.filter((fingerprint) => fingerprint.startsWith('s-0002'))).toHaveLength(1);
    expectWholeManifest(lane);
  });
});

describe.concurrent('segments that the store has', () => {
  const stored = (id: string) => ({
    fingerprint: segmentPlan(id).fingerprint,
    plainBytes: 1_000,
    members: 3,
    suffix: 'earlier',
    sealedBytes: 9_999,
    sealedSha256: 'e'.repeat(64),
    index: { suffix: 'earlier', sealedBytes: 99, sealedSha256: 'e'.repeat(64) },
  });

  it('are referred to, counted, and not sent', async () => {
    const lane = bench.lane('reuses');
    lane.reusable = [stored('s-0001')];
    const result = await (await bench.backup(lane)).result();
    expect(lane.sent).not.toContain(segmentPlan('s-0001').fingerprint);
    expect(result).toMatchObject({ segments: 4, reusedSegments: 1, sizeBytes: 4_000, sealedBytes: 3 * 1_400 });
    expect(lane.manifest?.results[0]).toMatchObject({ id: 's-0001', suffix: 'earlier', torn: 0, vanished: 0 });
    expectWholeManifest(lane);
  });

  it('are asked for only where they may be reused', async () => {
    const lane = bench.lane('asks');
    lane.plans = [planOf([segmentPlan('s-0001'), segmentPlan('s-0002', { reusable: false })])];
    lane.reusable = [stored('s-0001'), stored('s-0002')];
    await (await bench.backup(lane)).result();
    const asked = lane.calls.find(({ step }) => step === 'findReusable')?.input;
    expect(asked).toMatchObject({ fingerprints: [segmentPlan('s-0001').fingerprint] });
    expect(lane.sent).toContain(segmentPlan('s-0002').fingerprint);
  });

  it('stand beside segments of this run when the plan is lost', async () => {
    const lane = bench.lane('reuses-lost').told('backupSegment', { kind: 'fail', code: 'PlanLost', from: 2, to: 2 });
    lane.spec = { ...lane.spec, secrets: [], limits: { ...lane.spec.limits, streams: 1 } };
    lane.plans = [planOf(['s-0001', 's-0002', 's-0003'].map((id) => segmentPlan(id)))];
    lane.reusable = [stored('s-0001')];
    const result = await (await bench.backup(lane)).result();
    expect(lane.sent).toEqual([segmentPlan('s-0002').fingerprint, segmentPlan('s-0003').fingerprint]);
    expect(result).toMatchObject({ segments: 3, reusedSegments: 1, sealedBytes: 2 * 1_400 });
  });
});
