// Copies after a backup and by themselves: awaited, never in the lane's section, never the backup's failure.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { workflowNames } from '../../src/contract/names.ts';
import type { ReplicateResult } from '../../src/contract/results.ts';
import { Bench, failureOf, statusOf, waitUntil } from './bench.ts';
import type { FakeLane } from './fake-lane.ts';

vi.setConfig({ maxConcurrency: 12 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

const older = '20261121T031500Z-00000001';
const oldest = '20261120T031500Z-00000002';

function withReplica(name: string): FakeLane {
  const lane = bench.lane(name);
  lane.spec = { ...lane.spec, replica: 'far' };
  return lane;
}

const replicate = (lane: FakeLane, input: object = {}) =>
  bench.start<ReplicateResult>(workflowNames.replicateBundle, { lane: lane.name, ...input });

describe.concurrent('a backup', () => {
  it('copies its bundle, and what earlier copies left, the newest first, once its section has ended', async () => {
    const lane = withReplica('copies-after');
    lane.uncopied = [older, oldest];
    const result = await (await bench.backup(lane)).result();
    expect(result).toMatchObject({ replica: 'far', warnings: [] });
    expect(lane.copied).toEqual([result.bundle, older, oldest]);
    expect(lane.order.indexOf('tidyLane')).toBeLessThan(lane.order.indexOf('listUncopied'));
  });

  it('without a replica copies nothing', async () => {
    const lane = bench.lane('no-replica');
    const result = await (await bench.backup(lane)).result();
    expect(result).not.toHaveProperty('replica');
    expect(lane.count('listUncopied')).toBe(0);
  });

  it.each(['copyReceipts', 'listUncopied', 'planReplica', 'copySegments', 'commitReplica'] as const)(
    'stands, and warns, when %s fails',
    async (step) => {
      const lane = withReplica(`copy-fails-${step.toLowerCase()}`).told(step, { kind: 'fail', code: 'StoreRefused' });
      const result = await (await bench.backup(lane)).result();
      expect(result).not.toHaveProperty('replica');
      expect(result.warnings).toEqual([expect.stringMatching(/has no copy in far: .*was told to fail/)]);
      expect(lane.manifest?.bundle).toBe(result.bundle);
    },
  );

  it('stands, and warns, when it is cancelled while it is copied', async () => {
    const lane = withReplica('copy-cancelled').told('copySegments', { kind: 'block' });
    const handle = await bench.backup(lane);
    await lane.reached('copySegments');
    await handle.cancel();
    const result = await handle.result();
    expect(result.warnings).toEqual([expect.stringContaining('was cancelled, the backup stands')]);
    expect(lane.copied).toEqual([]);
  });

  it('holds the lane no longer while it is copied', async () => {
    const lane = withReplica('copy-holds-nothing').told('copySegments', { kind: 'block' });
    const handle = await bench.backup(lane);
    await lane.reached('copySegments');
    expect(await statusOf(bench.handle(lane.id))).toBe('COMPLETED');
    lane.heal();
    lane.release('copySegments');
    expect(await handle.result()).toMatchObject({ replica: 'far' });
  });
});

describe.concurrent('a replication', () => {
  it('goes on with the next bundle when one cannot be copied, and names it', async () => {
    const lane = withReplica('one-fails').told('planReplica', { kind: 'fail', code: 'BundleSignatureBad', to: 1 });
    lane.uncopied = [older, oldest];
    const result = await (await replicate(lane)).result();
    expect(result.failed).toEqual([expect.objectContaining({ bundle: older, code: 'BundleSignatureBad' })]);
    expect(result.bundles).toEqual([{ bundle: oldest, sentObjects: 7, sentBytes: 4_700, presentObjects: 4 }]);
  });

  it('commits no manifest beside an object that is wrong, and names that', async () => {
    const lane = withReplica('names-faults');
    const about = { bundle: older, segment: 's-0002', component: 'transcripts', object: 'segment' } as const;
    lane.copyFaults = [{ ...about, what: 'damaged', store: 'far' }];
    const failure = await failureOf(await replicate(lane, { bundle: older }));
    expect(failure).toMatchObject({ code: 'ReplicaDamaged' });
    expect(failure.message).toContain('segment s-0002 (transcripts) is damaged in far');
    expect(lane.count('commitReplica')).toBe(0);
  });

  it('repeats a step whose worker died or whose answer was lost', async () => {
    const lane = withReplica('copy-again')
      .told('copySegments', { kind: 'lose', attempts: 1 })
      .told('commitReplica', { kind: 'lose', attempts: 1 });
    expect((await (await replicate(lane, { bundle: older })).result()).failed).toEqual([]);
    expect(new Set(lane.copied)).toEqual(new Set([older]));
  });

  it('is refused where there is no replica', async () => {
    expect(await failureOf(await replicate(bench.lane('none-to-copy-to')))).toMatchObject({ code: 'NoReplica' });
  });

  it('ends with its child when it is cancelled', async () => {
    const lane = withReplica('all-cancelled').told('copySegments', { kind: 'block' });
    lane.uncopied = [older];
    const handle = await replicate(lane);
    await lane.reached('copySegments');
    await handle.cancel();
    await failureOf(handle);
    expect(await statusOf(handle)).toBe('CANCELLED');
    await waitUntil(
      'its child has ended',
      async () => (await statusOf(bench.handle(`${handle.workflowId}/${older}`))) === 'CANCELLED',
    );
    expect(lane.copied).toEqual([]);
  });
});
