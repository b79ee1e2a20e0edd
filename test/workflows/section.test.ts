// The section of a lane: its id is the lock, whatever is ended without being asked is put right by whoever comes
// next, and the watch finds what nobody came for.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { workflowNames } from '../../src/contract/names.ts';
import { Bench, failureOf, type Handle, statusOf, waitUntil } from './bench.ts';
import { bundleId, type FakeLane, fleetDigest } from './fake-lane.ts';
import { messageOfFailing } from './fake-steps.ts';

vi.setConfig({ maxConcurrency: 8 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

function expectAsItWas(lane: FakeLane): void {
  expect(lane).toMatchObject({ tree: 'old', secrets: 'old', gateway: 'running', journal: null, violations: [] });
}

async function holding(lane: FakeLane): Promise<Handle> {
  lane.told('backupSegment', { kind: 'block', to: 1 });
  const handle = await bench.backup(lane);
  await lane.reached('backupSegment');
  return handle;
}

describe.concurrent('the id of a section is the lock', () => {
  it('a second backup waits its time, then fails and names the holder', async () => {
    const lane = bench.lane('busy');
    const first = await holding(lane);
    const failure = await failureOf(await bench.backup(lane, { waitMs: 2_500 }));
    expect(failure.code).toBe('LaneBusy');
    expect(failure.message).toMatch(
      /^lane busy is held by lane\/test-fleet\/busy, backup since \d{4}-\d\d-\d\dT.*Z; waited 2500 ms$/,
    );
    lane.release('backupSegment');
    await first.result();
    expect(lane.count('captureLane')).toBe(1);
  });

  it('a second backup takes its turn when the first is done', async () => {
    const lane = bench.lane('turns');
    const first = await holding(lane);
    const second = await bench.backup(lane, { waitMs: 60_000 });
    await waitUntil('the second has asked who holds the lane', () => lane.count('describeHolder') > 0);
    lane.release('backupSegment');
    const results = await Promise.all([first.result(), second.result()]);
    expect(new Set(results.map((result) => (result as { bundle: string }).bundle)).size).toBe(2);
    expect(lane.count('captureLane')).toBe(2);
  });

  it('a wait costs some 15 events of history a try', async () => {
    const lane = bench.lane('waits');
    const first = await holding(lane);
    const second = await bench.backup(lane, { waitMs: 7_000 });
    expect(await failureOf(second)).toMatchObject({ code: 'LaneBusy' });
    const { events } = await second.fetchHistory();
    const tries = lane.count('describeHolder');
    expect(tries).toBeGreaterThanOrEqual(2);
    expect((events ?? []).length).toBeLessThan(16 * (tries + 1));
    await first.cancel();
    expect(await failureOf(first)).toMatchObject({ code: 'Cancelled' });
  });

  it('a restore cancels a running backup and takes its turn', async () => {
    const lane = bench.lane('in-the-way');
    const backup = await holding(lane);
    const restore = await bench.restore(lane, { waitMs: 0 });
    await restore.result();
    expect(await failureOf(backup)).toMatchObject({ code: 'Cancelled' });
    expect(lane).toMatchObject({ restored: true, manifest: null, logLines: [{ outcome: 'cancelled' }] });
  });

  it('a sandbox restore and a sweep wait for a backup, and do not cancel it', async () => {
    const lane = bench.lane('patient');
    const backup = await holding(lane);
    const sandbox = await bench.restore(lane, { into: 'sandbox', waitMs: 0 });
    const sweep = await bench.start(workflowNames.sweepStore, { lane: lane.name, waitMs: 0 });
    expect(await failureOf(sandbox)).toMatchObject({ code: 'LaneBusy' });
    expect(await failureOf(sweep)).toMatchObject({ code: 'LaneBusy' });
    lane.release('backupSegment');
    await backup.result();
  });

  it('a restore goes on when the backup in its way ends just before it is cancelled', async () => {
    const lane = bench.lane('just-gone');
    const backup = await holding(lane);
    const { runId } = await bench.handle(lane.id).describe();
    lane.holder = async () => {
      lane.release('backupSegment');
      await backup.result();
      return { operation: 'backup', startedAt: new Date(0).toISOString(), startedBy: runId };
    };
    expect(await (await bench.restore(lane)).result()).toMatchObject({ into: 'live', messageAnswered: true });
  });

  it('does not call a lane busy that nobody holds any more, nor one whose holder it has cancelled', async () => {
    const lane = bench.lane('leaving').told('tidyLane', { kind: 'block', to: 1 });
    const backup = await holding(lane);
    // who held it has gone between the try and the question; then the backup takes its time to end
    const [asked, gone] = [lane.count('describeHolder'), Promise.resolve(null)];
    const { runId } = await bench.handle(lane.id).describe();
    const holder = { operation: 'backup', startedAt: new Date(0).toISOString(), startedBy: runId };
    lane.holder = () => (lane.count('describeHolder') === asked + 1 ? gone : Promise.resolve(holder));
    const restore = await bench.restore(lane, { waitMs: 0 });
    await lane.reached('tidyLane');
    await waitUntil('it was asked for while it ends', () => lane.count('describeHolder') >= asked + 4);
    lane.release('tidyLane');
    expect(await failureOf(backup)).toMatchObject({ code: 'Cancelled' });
    expect(await restore.result()).toMatchObject({ into: 'live', messageAnswered: true });
  });

  it('a section under any other id refuses to work', async () => {
    const lane = bench.lane('wrong-id');
    const input = { lane: lane.name, fleetDigest, operation: { kind: 'settle' } };
    const failure = await failureOf(await bench.start(workflowNames.laneSection, input, 'lane/test-fleet/another'));
    expect(failure.code).toBe('InvalidInput');
    expect(failure.message).toContain(
      'this section must have the workflow id lane/test-fleet/wrong-id, not lane/test-fleet/another',
    );
    expect(bench.lane('another').count('settleLane') + lane.count('settleLane')).toBe(0);
  });
});

describe.concurrent('every section', () => {
  it.each([
    { kind: 'settle' },
    { kind: 'backup', tier: 'A', bundle: bundleId },
    { kind: 'restore', restore: bundleId, layered: false, acceptVersion: false, into: 'live', dryRun: false },
    { kind: 'sweep', minAgeMs: 0 },
    { kind: 'expire', dryRun: false },
    { kind: 'undo' },
  ] as const)('begins a $kind by putting the lane right', async (operation) => {
    const lane = bench.lane(`begins-${operation.kind}`);
    lane.journal = { restore: 'dead', phase: 'open', before: 'running' };
    lane.tree = 'new';
    lane.gateway = 'stopped';
    const handle = await bench.section(lane, operation);
    await handle.result().catch(() => undefined);
    expect(lane.order.slice(0, 2)).toEqual(['describeLane', 'settleLane']);
    expect(lane.violations).toEqual([]);
  });

  it('that was started to settle answers what it did', async () => {
    const lane = bench.lane('settles');
    lane.journal = { restore: 'dead', phase: 'open', before: 'running' };
    lane.gateway = 'stopped';
    const handle = await bench.section(lane, { kind: 'settle' });
    expect(await handle.result()).toEqual({ kind: 'settle', settle: { action: 'rolled-back', gateway: 'running' } });
    expectAsItWas(lane);
  });

  it('shows its progress to a query and as current details', async () => {
    const lane = bench.lane('shows').told('swapTrees', { kind: 'block' });
    const restore = await bench.restore(lane);
    await lane.reached('swapTrees');
    const section = bench.handle(lane.id);
    expect(await section.query('progress')).toMatchObject({
      phase: 'swapping trees',
      step: { name: 'tree', budgetMs: 2_400_000 },
      segmentsDone: 5,
      segmentsTotal: 5,
      overBudget: [],
    });
    const { currentDetails } = await section.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    // the words are the display's; what must stand in them is where it is
    for (const part of ['swapping trees', '5 of 5', 'tree']) expect(currentDetails).toContain(part);
    lane.release('swapTrees');
    await restore.result();
  });

  it('sweeps for the workflow that was started to sweep', async () => {
    const handle = await bench.start(workflowNames.sweepStore, { lane: 'swept', minAgeMs: 1_000 });
    const swept = { removedObjects: 4, removedBytes: 4_096, keptObjects: 9, lockedObjects: 0, lockedUntil: null };
    expect(await handle.result()).toEqual({
      store: 'primary',
      ...swept,
      staleUploads: 1,
      damaged: [],
      replica: null,
    });
  });
});

async function stoppedMidway(
  name: string,
  step: 'swapTrees' | 'rehydrateSecrets' | 'tidyLane',
): Promise<[FakeLane, Handle]> {
  const lane = bench.lane(name).told(step, { kind: 'block', to: 1 });
  const restore = await bench.restore(lane);
  await lane.reached(step);
  return [lane, restore];
}

describe.concurrent('what is terminated', () => {
  it('a parent: its section is cancelled, and puts the lane right before it ends', async () => {
    const [lane, restore] = await stoppedMidway('orphan', 'rehydrateSecrets');
    await restore.terminate();
    await waitUntil('the section has ended', async () => (await statusOf(bench.handle(lane.id))) === 'CANCELLED');
    expect(lane.count('settleLane')).toBe(2);
    expectAsItWas(lane);
  });

  it('a section: its parent settles the lane in another, and fails', async () => {
    const [lane, restore] = await stoppedMidway('headless', 'rehydrateSecrets');
    await bench.handle(lane.id).terminate();
    const failure = await failureOf(restore);
    expect(failure.code).toBe('RestoreFailed');
    expect(failure.message).toBe(
      'the section of lane headless (restore) was terminated; the lane was put right afterwards, back to its old tree; a terminated run has no receipt',
    );
    expectAsItWas(lane);
  });

  it('a section of a backup: its parent says that of a backup, not that a restore failed', async () => {
    const lane = bench.lane('headless-backup').told('backupSegment', { kind: 'block', to: 1 });
    const backup = await bench.backup(lane);
    await lane.reached('backupSegment');
    await bench.handle(lane.id).terminate();
    const failure = await failureOf(backup);
    expect(failure.code).toBe('Terminated');
    expect(failure.message).toBe(
      'the section of lane headless-backup (backup) was terminated; nothing was to be put right afterwards',
    );
    expect(lane.manifest).toBeNull();
  });

  it('a section after the commit: its parent does not say that the lane is as it was', async () => {
    const [lane, restore] = await stoppedMidway('headless-late', 'tidyLane');
    await bench.handle(lane.id).terminate();
    expect((await failureOf(restore)).message).toBe(
      'the section of lane headless-late (restore) was terminated; nothing was to be put right afterwards; a terminated run has no receipt',
    );
    expect(lane).toMatchObject({ tree: 'new', restored: true, gateway: 'running', violations: [] });
  });

  it('a section whose settling fails too: its parent tells that cause', async () => {
    const [lane, restore] = await stoppedMidway('hopeless', 'swapTrees');
    lane.told('settleLane', { kind: 'fail', code: 'JournalDamaged' });
    await bench.handle(lane.id).terminate();
    expect(await failureOf(restore)).toMatchObject({ code: 'JournalDamaged', message: messageOfFailing('settleLane') });
  });

  it('a parent and its section: the next operation puts the lane right first', async () => {
    const [lane, restore] = await stoppedMidway('both-next', 'swapTrees');
    await bench.handle(lane.id).terminate();
    await restore.terminate();
    await waitUntil('the lane is free', async () => (await statusOf(bench.handle(lane.id))) !== 'RUNNING');
    lane.heal();
    await (await bench.backup(lane)).result();
    expectAsItWas(lane);
  });
});

// one after the other: each watch sees all watched lanes of the bench
describe('the watch', () => {
  async function watch(): Promise<Handle> {
    return bench.start(workflowNames.watchFleet, {});
  }

  it('settles a lane whose parent and section were terminated, in a section that outlives the watch', async () => {
    const [lane, restore] = await stoppedMidway('both-watch', 'swapTrees');
    lane.watched = true;
    // the parent first, and its section before it has heard of it
    await Promise.all([restore.terminate(), bench.handle(lane.id).terminate()]);
    await waitUntil('the lane is free', async () => (await statusOf(bench.handle(lane.id))) !== 'RUNNING');
    expect(lane.journal).not.toBeNull();
    lane.heal();
    lane.told('settleLane', { kind: 'block' });
    expect(await (await watch()).result()).toMatchObject({ settling: ['both-watch'] });
    await lane.reached('settleLane');
    expect(await statusOf(bench.handle(lane.id))).toBe('RUNNING');
    lane.release('settleLane');
    expect(await bench.handle(lane.id).result()).toMatchObject({ kind: 'settle', settle: { action: 'rolled-back' } });
    expectAsItWas(lane);
    lane.watched = false;
  });

  it('leaves a lane whose section lives to that', async () => {
    const [lane, restore] = await stoppedMidway('alive', 'swapTrees');
    lane.watched = true;
    expect(await (await watch()).result()).toMatchObject({ lanes: 1, settling: [] });
    lane.release('swapTrees');
    await restore.result();
    expect(await (await watch()).result()).toMatchObject({ lanes: 1, settling: [] });
    expect(lane.count('settleLane')).toBe(1);
    lane.watched = false;
  });

  it('goes on to the other lanes when one does not answer and one refuses', async () => {
    const silent = bench.lane('silent').leftUnsettled();
    silent.unreachable = true;
    const refusing = bench
      .lane('refusing')
      .leftUnsettled()
      .told('readUnsettled', { kind: 'fail', code: 'HostKeyChanged' });
    const lane = bench.lane('third').leftUnsettled();
    expect(await (await watch()).result()).toMatchObject({
      lanes: 3,
      unreachable: 1,
      refused: ['refusing'],
      settling: ['third'],
    });
    await bench.handle(lane.id).result();
    expectAsItWas(lane);
    for (const each of [silent, refusing, lane]) each.watched = false;
  });

  it('starts one section when it runs twice at once', async () => {
    const lane = bench.lane('once').leftUnsettled().told('settleLane', { kind: 'block' });
    const runs = await Promise.all([watch(), watch()]);
    const results = (await Promise.all(runs.map((run) => run.result()))) as { settling: string[] }[];
    expect(results.flatMap(({ settling }) => settling)).toEqual(['once']);
    lane.release('settleLane');
    await bench.handle(lane.id).result();
    expect(lane.count('settleLane')).toBe(1);
    expectAsItWas(lane);
  });
});
