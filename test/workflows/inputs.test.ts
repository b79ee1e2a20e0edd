// What each workflow is started with: one JSON object, as the Temporal UI's form sends it. A wrong one fails the
// workflow at once, before anything was asked of anybody, in words that name the field.

import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { queues, workflowNames } from '../../src/contract/names.ts';
import { Bench, type Handle, statusOf } from './bench.ts';
import { bundleId, fleetDigest } from './fake-lane.ts';

vi.setConfig({ maxConcurrency: 10 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

type WorkflowName = keyof typeof workflowNames;

interface Payload {
  readonly metadata: Record<string, Uint8Array>;
  readonly data: Uint8Array;
}

/** As the UI's form posts it: the text of the editor as it is, with its encoding. */
function fromForm(text: string, encoding = 'json/plain'): Payload {
  return { metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from(text) };
}

async function startRaw(workflow: WorkflowName, payloads: readonly Payload[]): Promise<Handle> {
  const workflowId = `form-${crypto.randomUUID()}`;
  await bench.client.workflowService.startWorkflowExecution({
    namespace: bench.client.options.namespace,
    requestId: crypto.randomUUID(),
    workflowId,
    workflowType: { name: workflowNames[workflow] },
    taskQueue: { name: queues.host },
    input: { payloads: [...payloads] },
  });
  return bench.handle(workflowId);
}

async function refusalOf(handle: Handle): Promise<ApplicationFailure> {
  const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
  if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) return error.cause;
  throw new Error(`${handle.workflowId} was to be refused, and ended with ${String(error)}`);
}

const restoring = {
  kind: 'restore',
  restore: bundleId,
  layered: false,
  acceptVersion: false,
  into: 'live',
  dryRun: false,
};

const wrong: readonly (readonly [WorkflowName, string, unknown, RegExp])[] = [
  ['backupLane', 'no lane', {}, /✖ .*\n {2}→ at lane/],
  [
    'backupLane',
    'a lane in capitals',
    { lane: 'Lane-1' },
    /✖ a lane id: lower-case letters, digits and inner dashes\n {2}→ at lane/,
  ],
  ['backupLane', 'an unknown tier', { lane: 'a', tier: 'D' }, /✖ .*"A"\|"B"\|"C".*\n {2}→ at tier/],
  ['backupLane', 'a wait that is no number', { lane: 'a', waitMs: '5m' }, /✖ .*\n {2}→ at waitMs/],
  ['backupLane', 'a wait of over a day', { lane: 'a', waitMs: 86_400_001 }, /✖ .*86400000.*\n {2}→ at waitMs/],
  ['backupLane', 'an unknown key', { lane: 'a', teir: 'B' }, /✖ Unrecognized key: "teir"/],
  [
    'restoreLane',
    'a bundle that is none',
    { lane: 'a', bundle: 'newest' },
    /✖ a bundle id, like 20261122T031500Z-1a2b3c4d\n {2}→ at bundle/,
  ],
  [
    'restoreLane',
    'both a bundle and an instant',
    { lane: 'a', bundle: bundleId, at: '2026-11-22T00:00:00Z' },
    /✖ give either bundle or at\n {2}→ at at/,
  ],
  ['restoreLane', 'an instant without a zone', { lane: 'a', at: '2026-11-22 00:00' }, /✖ .*\n {2}→ at at/],
  ['restoreLane', 'an unknown component', { lane: 'a', only: 'caches' }, /✖ .*\n {2}→ at only/],
  [
    'restoreLane',
    'an undo of a bundle',
    { lane: 'a', undo: true, bundle: bundleId },
    /✖ undo takes no bundle, at, only, layered or dryRun\n {2}→ at undo/,
  ],
  ['restoreLane', 'a place that is none', { lane: 'a', into: '/tmp' }, /✖ .*\n {2}→ at into/],
  ['laneSection', 'no digest', { lane: 'a', operation: { kind: 'settle' } }, /✖ .*\n {2}→ at fleetDigest/],
  ['laneSection', 'an unknown operation', { lane: 'a', fleetDigest, operation: { kind: 'erase' } }, /→ at operation/],
  [
    'laneSection',
    'an unknown key deep inside',
    { lane: 'a', fleetDigest, operation: { ...restoring, hook: 'rm -rf /' } },
    /✖ Unrecognized key: "hook"\n {2}→ at operation/,
  ],
  ['sweepStore', 'a negative age', { lane: 'a', minAgeMs: -1 }, /✖ .*\n {2}→ at minAgeMs/],
  ['backupFleet', 'no choice of lanes', { tier: 'B' }, /✖ give exactly one of all, host and lanes\n {2}→ at lanes/],
  ['backupFleet', 'two choices', { all: true, host: 'mac-1' }, /✖ give exactly one of all, host and lanes/],
  ['backupFleet', 'a lane twice', { lanes: ['a', 'a'] }, /✖ a lane is named twice\n {2}→ at lanes/],
  ['restoreFleet', 'no lanes at all', { lanes: [] }, /→ at lanes/],
  ['restoreFleet', 'a bundle that is none', { all: true, bundles: { a: 'newest' } }, /→ at bundles\.a/],
  ['restoreFleet', 'an undo', { all: true, undo: true }, /✖ Unrecognized key: "undo"/],
  ['watchFleet', 'an unknown key', { lanes: ['a'] }, /✖ Unrecognized key: "lanes"/],
];

describe.concurrent('a wrong input', () => {
  it.each(wrong)('of %s, %s, fails at once and names the field', async (workflow, _what, input, words) => {
    const handle = await startRaw(workflow, [fromForm(JSON.stringify(input))]);
    const { type, nonRetryable, message, details } = await refusalOf(handle);
    expect({ type, nonRetryable }).toEqual({ type: 'InvalidInput', nonRetryable: true });
    expect(message).toMatch(/^invalid input:\n/);
    expect(message).toMatch(words);
    expect(message).toMatch(/\nHINT: correct the named field$/);
    expect(details?.[0]).toMatchObject([{ path: expect.any(Array), message: expect.any(String) }]);
    expect(await statusOf(handle)).toBe('FAILED');
    const { events } = await handle.fetchHistory();
    expect(
      (events ?? []).some(({ activityTaskScheduledEventAttributes }) => activityTaskScheduledEventAttributes),
    ).toBe(false);
  });

  it.each([
    ['null', 'null'],
    ['a list', '["agent-lane-1"]'],
    ['a text', '"agent-lane-1"'],
    ['a number', '7'],
  ])('that is %s and no object fails at once', async (_what, text) => {
    const { type, message } = await refusalOf(await startRaw('backupLane', [fromForm(text)]));
    expect(type).toBe('InvalidInput');
    expect(message).toMatch(/expected object/);
  });

  it('that is missing altogether fails at once', async () => {
    expect(await refusalOf(await startRaw('restoreLane', []))).toMatchObject({ type: 'InvalidInput' });
  });

  it.each([
    ['an open brace', '{"lane": "a"'],
    ['a comma too many', '{"lane": "a",}'],
    ['nothing at all', ''],
  ])('that is no JSON (%s) fails at once and says so', async (_what, text) => {
    const { type, message } = await refusalOf(await startRaw('backupLane', [fromForm(text)]));
    expect(type).toBe('InvalidInput');
    expect(message).toMatch(/^invalid input:\n✖ it cannot be read: .*JSON/);
  });

  it('of an encoding that nobody reads fails at once and names it', async () => {
    const handle = await startRaw('restoreLane', [fromForm('{"lane":"a"}', 'json/protobuf')]);
    expect((await refusalOf(handle)).message).toMatch(/it cannot be read: Unknown encoding: json\/protobuf/);
  });

  it('tells all wrong fields at once', async () => {
    const { message } = await refusalOf(
      await startRaw('backupLane', [fromForm('{"lane":"A","tier":"D","waitMs":-1,"more":1}')]),
    );
    for (const field of ['lane', 'tier', 'waitMs', 'more']) expect(message).toContain(field);
  });
});

describe.concurrent('the form of the Temporal UI', () => {
  it('starts a backup with the lane alone: tier A', async () => {
    const lane = bench.lane('form-backup');
    const handle = await startRaw('backupLane', [fromForm('{\n  "lane": "form-backup"\n}\n')]);
    expect(await handle.result()).toMatchObject({ tier: 'A', lane: 'form-backup' });
    expect(lane.manifest).toMatchObject({ tier: 'A' });
  });

  it('starts a restore with the lane alone: live, of the newest bundle', async () => {
    const lane = bench.lane('form-restore');
    const handle = await startRaw('restoreLane', [fromForm('{"lane":"form-restore"}')]);
    expect(await handle.result()).toMatchObject({ into: 'live', messageAnswered: true });
    const asked = lane.calls.find(({ step }) => step === 'chooseBundles')?.input;
    expect(asked).toEqual({ fleet: 'test-fleet', lane: 'form-restore', store: 'primary', layered: false });
  });

  it('starts a backup of many lanes with their names alone', async () => {
    const handle = await startRaw('backupFleet', [fromForm('{"lanes":["form-one","form-two"]}')]);
    expect(await handle.result()).toMatchObject({ kind: 'backup', counts: { ok: 2 } });
    expect(bench.lane('form-one').manifest).toMatchObject({ tier: 'A' });
  });

  it('starts the watch with an empty object, or with nothing', async () => {
    expect(await (await startRaw('watchFleet', [fromForm('{}')])).result()).toMatchObject({ settling: [] });
    expect(await (await startRaw('watchFleet', [])).result()).toMatchObject({ settling: [] });
  });
});
