// The receipt at the end of a restore: one for each run that changed or tried to change a lane, whatever became of it,
// and never the reason why a good restore fails.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { ReceiptRequest } from '../../src/contract/receipt-types.ts';
import { Bench, failureOf } from './bench.ts';
import { bundleId, type FakeLane, fleetDigest } from './fake-lane.ts';
import { messageOfFailing } from './fake-steps.ts';

vi.setConfig({ maxConcurrency: 12 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

function only(lane: FakeLane): ReceiptRequest {
  expect(lane.receipts).toHaveLength(1);
  return lane.receipts[0] as ReceiptRequest;
}

const stepsOf = ({ steps }: ReceiptRequest): string[] => steps.map(({ step, outcome }) => `${step} ${outcome}`);

describe.concurrent('a receipt', () => {
  it('says what a restore that passed did, and when', async () => {
    const lane = bench.lane('receipt-passed');
    const handle = await bench.restore(lane);
    const result = await handle.result();
    const receipt = only(lane);
    expect(result.receipt).toBe(receipt.id);
    expect(receipt).toMatchObject({
      kind: 'restore',
      outcome: 'passed',
      failure: null,
      laneAfter: 'restored',
      messageAnswered: true,
      fleetDigest,
      restore: { into: 'live', only: null, layered: false },
      bundles: [{ bundle: bundleId, manifestSha256: 'd'.repeat(64), whole: true }],
      openclaw: { bundle: '2026.11.1' },
      workflow: { id: handle.workflowId, section: { id: lane.id } },
    });
    expect(receipt.rto).toMatchObject({ ms: result.rtoMs, budgetMs: result.rtoBudgetMs, over: [] });
    expect(receipt.rto.waitingMs).toBeGreaterThanOrEqual(0);
    expect(receipt.rpo).toEqual(result.rpo);
    expect(stepsOf(receipt)).toEqual([
      'settle passed',
      'check passed',
      'tree passed',
      'stop passed',
      'tree passed',
      'secrets passed',
      'smoke passed',
      'commit passed',
      'commit passed',
    ]);
  });

  it('has parts that follow each other, in time and in the history', async () => {
    const lane = bench.lane('receipt-parts');
    await (await bench.restore(lane)).result();
    const { steps, startedAt, endedAt } = only(lane);
    const times = [startedAt, ...steps.flatMap((step) => [step.startedAt, step.endedAt]), endedAt];
    expect(times).toEqual(times.toSorted());
    const events = steps.flatMap(({ afterEvent, untilEvent }) => [afterEvent, untilEvent]);
    expect(events).toEqual(events.toSorted((a, b) => a - b));
    expect(steps.every(({ afterEvent, untilEvent }) => afterEvent < untilEvent)).toBe(true);
  });

  it('says what failed, and that the lane is as it was', async () => {
    const lane = bench.lane('receipt-failed').told('rehydrateSecrets', { kind: 'fail', code: 'KeychainLocked' });
    await failureOf(await bench.restore(lane));
    const receipt = only(lane);
    expect(receipt).toMatchObject({
      outcome: 'failed',
      failure: 'KeychainLocked',
      laneAfter: 'as-before',
      messageAnswered: false,
      bundles: [{ bundle: bundleId }],
    });
    expect(stepsOf(receipt).slice(-2)).toEqual(['secrets failed', 'settle passed']);
  });

  it('says that nothing was chosen when it failed before that', async () => {
    const lane = bench.lane('receipt-early').told('settleLane', { kind: 'fail', code: 'HostKeyChanged' });
    await failureOf(await bench.restore(lane));
    expect(only(lane)).toMatchObject({ failure: 'HostKeyChanged', laneAfter: 'as-before', bundles: [], rpo: [] });
  });

  it('says that the lane could not be put right', async () => {
    const lane = bench
      .lane('receipt-unsettled')
      .told('swapTrees', { kind: 'fail' })
      .told('settleLane', { kind: 'fail', code: 'JournalDamaged', from: 2 });
    expect(await failureOf(await bench.restore(lane))).toMatchObject({ code: 'LaneUnsettled' });
    expect(only(lane)).toMatchObject({ outcome: 'failed', failure: 'LaneUnsettled', laneAfter: 'unsettled' });
  });

  it('says that the lane is restored where only the answer of the commit was lost', async () => {
    const lane = bench.lane('receipt-committed').told('commitRestore', { kind: 'lose', code: 'HostOutputUnexpected' });
    await failureOf(await bench.restore(lane));
    expect(lane.tree).toBe('new');
    expect(only(lane)).toMatchObject({ outcome: 'failed', laneAfter: 'restored' });
  });

  it.each(['chooseBundles', 'stageSegment', 'swapTrees'] as const)(
    'is written, and not cut off, when the restore is cancelled while %s runs',
    async (step) => {
      const lane = bench.lane(`receipt-cancelled-${step.toLowerCase()}`).told(step, { kind: 'block' });
      const handle = await bench.restore(lane);
      await lane.reached(step);
      await handle.cancel();
      await failureOf(handle);
      const receipt = only(lane);
      expect(receipt).toMatchObject({ outcome: 'failed', failure: 'Cancelled', laneAfter: 'as-before' });
      expect(stepsOf(receipt).some((one) => one.endsWith('cancelled'))).toBe(true);
    },
  );

  it('is written once, under one id, when its first answer is lost', async () => {
    const lane = bench.lane('receipt-lost').told('writeReceipt', { kind: 'lose', attempts: 1 });
    const result = await (await bench.restore(lane)).result();
    expect(lane.count('writeReceipt')).toBe(2);
    expect(only(lane).id).toBe(result.receipt);
  });

  it('that cannot be written costs no restore, and is missed aloud', async () => {
    const lane = bench.lane('receipt-refused').told('writeReceipt', { kind: 'fail', code: 'SecretUnavailable' });
    const result = await (await bench.restore(lane)).result();
    expect(result).toMatchObject({ into: 'live', messageAnswered: true, receipt: null });
    expect(result.warnings).toEqual([
      `NO RECEIPT was written, so that this run proves nothing: ${messageOfFailing('writeReceipt')}`,
    ]);
    expect(lane).toMatchObject({ tree: 'new', gateway: 'running', journal: null, receipts: [] });
  });

  it('that cannot be written hides no failure', async () => {
    const lane = bench
      .lane('receipt-refused-failure')
      .told('swapTrees', { kind: 'fail', code: 'DiskTooFull' })
      .told('writeReceipt', { kind: 'fail' });
    expect(await failureOf(await bench.restore(lane))).toMatchObject({ code: 'DiskTooFull' });
    expect(lane).toMatchObject({ tree: 'old', gateway: 'running', journal: null, receipts: [] });
  });

  it('is none of a dry run', async () => {
    const lane = bench.lane('receipt-dry');
    expect(await (await bench.restore(lane, { dryRun: true })).result()).toMatchObject({ receipt: null });
    expect(lane.count('writeReceipt')).toBe(0);
  });

  it('is none of a backup, and none where no worker was found', async () => {
    const lane = bench.lane('receipt-none').told('requirePollers', { kind: 'fail', code: 'NoPollers' });
    await failureOf(await bench.restore(lane));
    lane.heal();
    await (await bench.backup(lane)).result();
    expect(lane.count('writeReceipt')).toBe(0);
  });

  it('tells a sandbox and a part from a whole live restore', async () => {
    const lane = bench.lane('receipt-sandbox');
    await (await bench.restore(lane, { into: 'sandbox', only: 'config' })).result();
    expect(only(lane)).toMatchObject({
      outcome: 'passed',
      laneAfter: 'as-before',
      messageAnswered: false,
      restore: { into: 'sandbox', only: 'config' },
    });
  });

  it('of an undo says so, and that it failed when the old tree answers no message', async () => {
    const lane = bench.lane('receipt-undo');
    await (await bench.restore(lane)).result();
    await (await bench.restore(lane, { undo: true })).result();
    await (await bench.restore(lane)).result();
    lane.smoke = { ...lane.smoke, answered: false, httpStatus: 401 };
    const silent = await (await bench.restore(lane, { undo: true })).result();
    expect(lane.receipts.map(({ kind, outcome, laneAfter }) => `${kind} ${outcome} ${laneAfter}`)).toEqual([
      'restore passed restored',
      'undo passed undone',
      'restore passed restored',
      'undo failed undone',
    ]);
    expect(lane.receipts.at(-1)).toMatchObject({ id: silent.receipt, failure: 'MessageUnanswered', bundles: [] });
    expect(new Set(lane.receipts.map(({ id }) => id)).size).toBe(4);
  });
});
