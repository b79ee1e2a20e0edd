// The runs whose histories are kept, and the folder they are kept in: each is made anew by `record.ts`, and replayed
// by determinism.test.ts against the workflows as they are now.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { workflowNames } from '../../src/contract/names.ts';
import { type Bench, ended, type Handle } from './bench.ts';
import { recoveries } from './histories-recoveries.ts';

export const historiesFolder = join(import.meta.dirname, 'histories');

export interface Recorded {
  readonly name: string;
  readonly history: unknown;
}

/** Of each scenario, the runs to keep by the ends of their files' names. They may have failed. */
export type Scenario = (bench: Bench, lane: string) => Promise<Readonly<Record<string, Handle>>>;

/** A parent and the section that it entered. */
async function withSection(bench: Bench, lane: string, parent: Handle): Promise<Readonly<Record<string, Handle>>> {
  return { parent: await ended(parent), section: bench.handle(bench.lane(lane).id) };
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  'backup-a': async (bench, name) => withSection(bench, name, await bench.backup(bench.lane(name), { tier: 'A' })),

  'backup-b-supplement': async (bench, name) => {
    const lane = bench.lane(name);
    lane.torn.set('s-0001', 1).set('s-0004', 1);
    return { section: (await withSection(bench, name, await bench.backup(lane)))['section'] as Handle };
  },

  'restore-live': async (bench, name) => withSection(bench, name, await bench.restore(bench.lane(name))),

  'restore-fails-after-stop': async (bench, name) => {
    const lane = bench.lane(name).told('swapTrees', { kind: 'fail' });
    return { section: (await withSection(bench, name, await bench.restore(lane)))['section'] as Handle };
  },

  'restore-cancelled': async (bench, name) => {
    const lane = bench.lane(name).told('rehydrateSecrets', { kind: 'block' });
    const restore = await bench.restore(lane);
    await lane.reached('rehydrateSecrets');
    await restore.cancel();
    return { parent: await ended(restore) };
  },

  'restore-over-budget': async (bench, name) => {
    const lane = bench.lane(name).told('stopWriters', { kind: 'fail', code: 'GatewayWouldNotStop', to: 2 });
    const { budgets } = lane.spec;
    lane.spec = { ...lane.spec, budgets: { rtoMs: 1_500, stepMs: { ...budgets.stepMs, stop: 1_000 } } };
    return { section: (await withSection(bench, name, await bench.restore(lane)))['section'] as Handle };
  },

  'restore-sandbox': async (bench, name) => {
    const sandbox = await bench.restore(bench.lane(name), { into: 'sandbox' });
    return { section: (await withSection(bench, name, sandbox))['section'] as Handle };
  },

  'restore-waits-for-backup': async (bench, name) => {
    const lane = bench.lane(name).told('backupSegment', { kind: 'block', to: 1 });
    await bench.backup(lane);
    await lane.reached('backupSegment');
    return { parent: await ended(await bench.restore(lane)) };
  },

  'restore-section-terminated': async (bench, name) => {
    const lane = bench.lane(name).told('swapTrees', { kind: 'block', to: 1 });
    const restore = await bench.restore(lane);
    await lane.reached('swapTrees');
    await bench.handle(lane.id).terminate();
    return { parent: await ended(restore) };
  },

  undo: async (bench, name) => {
    await ended(await bench.restore(bench.lane(name)));
    return withSection(bench, name, await bench.restore(bench.lane(name), { undo: true }));
  },

  'sweep-store': async (bench, name) =>
    withSection(bench, name, await bench.start(workflowNames.sweepStore, { lane: name })),

  'backup-fleet': async (bench, name) => {
    const lanes = [`${name}-1`, `${name}-2`];
    bench.lane(`${name}-2`).told('captureLane', { kind: 'fail' });
    return { fleet: await ended(await bench.start(workflowNames.backupFleet, { lanes, tier: 'A' })) };
  },

  'restore-fleet': async (bench, name) => {
    const lanes = [`${name}-1`, `${name}-2`];
    for (const lane of lanes) bench.lane(lane).room = { ...bench.lane(lane).room, volume: name, freeBytes: 20_000 };
    return { fleet: await ended(await bench.start(workflowNames.restoreFleet, { lanes })) };
  },

  'replicate-bundle': async (bench, name) => {
    const lane = bench.lane(name);
    lane.spec = { ...lane.spec, replica: 'far' };
    lane.uncopied = ['20261121T031500Z-00000001'];
    return { copy: await ended(await bench.start(workflowNames.replicateBundle, { lane: name })) };
  },

  'verify-bundle': async (bench, name) => ({
    verification: await ended(await bench.start(workflowNames.verifyBundle, { lane: bench.lane(name).name })),
  }),

  'import-archive': async (bench, name) => {
    const archive = 'openclaw-full-20250301.tar.gz';
    return withSection(
      bench,
      name,
      await bench.start(workflowNames.importArchive, { lane: bench.lane(name).name, archive }),
    );
  },

  'expire-bundles': async (bench, name) => {
    const toBury = [{ bundle: '20261121T031500Z-00000001', manifestSha256: 'a'.repeat(64) }];
    Object.assign(bench.lane(name), { toBury, due: ['20261101T031500Z-00000001'] });
    return withSection(bench, name, await bench.start(workflowNames.expireBundles, { lane: name }));
  },

  'watch-fleet': async (bench, name) => {
    const lane = bench.lane(name);
    lane.watched = true;
    lane.journal = { restore: 'dead', phase: 'open', before: 'running' };
    const watch = await ended(await bench.start(workflowNames.watchFleet, {}));
    lane.watched = false;
    return { watch, settle: await ended(bench.handle(lane.id)) };
  },

  ...recoveries,
};

export async function readHistories(): Promise<Recorded[]> {
  const names = (await readdir(historiesFolder)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    names.map(async (name) => ({
      name,
      history: JSON.parse(await readFile(join(historiesFolder, name), 'utf8')) as unknown,
    })),
  );
}
