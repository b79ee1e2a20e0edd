// Archives of the old scripts, and bundles of another host, as far as workflows decide about them.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { workflowNames } from '../../src/contract/names.ts';
import type { ImportResult } from '../../src/contract/results.ts';
import { Bench, failureOf, statusOf } from './bench.ts';
import { type FakeLane, type StepName, wholeBundle } from './fake-lane.ts';

vi.setConfig({ maxConcurrency: 12 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

const archive = 'openclaw-full-20250301.tar.gz';
const importing = (lane: FakeLane) => bench.start(workflowNames.importArchive, { lane: lane.name, archive });

const touching: StepName[] = ['openStage', 'stopWriters', 'prepareSwap', 'swapTrees', 'startGateway'];
function expectUntouched(lane: FakeLane): void {
  expect(touching.filter((step) => lane.count(step) > 0)).toEqual([]);
  expect(lane).toMatchObject({ tree: 'old', gateway: 'running', journal: null, stage: null, violations: [] });
}

describe.concurrent('an import', () => {
  it("looks for the archive, reads it and commits its bundle under the archive's own id and time", async () => {
    const lane = bench.lane('imports');
    const result = (await (await importing(lane)).result()) as ImportResult;
    expect(lane.order.slice(-3)).toEqual(['findArchive', 'importArchive', 'commitManifest']);
    expect(result).toMatchObject({
      bundle: lane.imported.bundle,
      tier: 'B',
      already: false,
      segments: 1,
      sizeBytes: 1_000,
    });
    expect(lane.manifest).toMatchObject({
      bundle: lane.imported.bundle,
      imported: lane.imported.from,
      predecessor: null,
    });
    expectUntouched(lane);
  });

  it('commits nothing when the bundle is there', async () => {
    const lane = bench.lane('imports-again');
    lane.imported = { ...lane.imported, already: true, results: [], plan: { ...lane.imported.plan, segments: [] } };
    expect(await (await importing(lane)).result()).toMatchObject({ already: true, segments: 0 });
    expect(lane.count('commitManifest')).toBe(0);
  });

  it.each(['ArchiveMissing', 'ArchiveDamaged', 'ArchiveKeyWrong', 'ArchiveForeign', 'ArchiveHostile'] as const)(
    'ends with %s at once, and nothing was committed',
    async (code) => {
      const lane = bench.lane(`imports-${code.toLowerCase()}`).told('importArchive', { kind: 'fail', code });
      expect((await failureOf(await importing(lane))).code).toBe(code);
      expect([lane.count('importArchive'), lane.count('commitManifest')]).toEqual([1, 0]);
      expectUntouched(lane);
    },
  );

  it('is read anew when its worker was lost, and commits once', async () => {
    const lane = bench.lane('imports-lost').told('importArchive', { kind: 'lose', attempts: 1 });
    expect(await (await importing(lane)).result()).toMatchObject({ already: false });
    expect([lane.count('importArchive'), lane.count('commitManifest')]).toEqual([2, 1]);
  });

  it('ends cancelled, with nothing committed', async () => {
    const lane = bench.lane('imports-cancelled').told('importArchive', { kind: 'block' });
    const handle = await importing(lane);
    await lane.reached('importArchive');
    await handle.cancel();
    await handle.result().catch(() => undefined);
    expect(await statusOf(handle)).toBe('CANCELLED');
    expect(lane.count('commitManifest')).toBe(0);
    expectUntouched(lane);
  });
});

describe.concurrent('a restore from an archive', () => {
  it('imports it, restores its bundle, and checks databases before anything is stopped', async () => {
    const lane = bench.lane('from-archive');
    lane.chosen = { ...wholeBundle, imported: true };
    await (await bench.restore(lane, { archive })).result();
    const chosen = lane.calls.find(({ step }) => step === 'chooseBundles')?.input;
    expect(chosen).toMatchObject({ bundle: lane.imported.bundle });
    expect(lane.order.indexOf('checkDatabases')).toBeGreaterThan(lane.order.indexOf('stageSegment'));
    expect(lane.order.indexOf('checkDatabases')).toBeLessThan(lane.order.indexOf('stopWriters'));
    expect(lane).toMatchObject({ tree: 'new', gateway: 'running', restored: true, violations: [] });
  });

  it('ends before anything is stopped when a database is damaged, and leaves no staging tree', async () => {
    const lane = bench.lane('from-damaged').told('checkDatabases', { kind: 'fail', code: 'DatabaseDamaged' });
    lane.chosen = { ...wholeBundle, imported: true };
    expect((await failureOf(await bench.restore(lane, { archive }))).code).toBe('DatabaseDamaged');
    expect([lane.count('stopWriters'), lane.stage]).toEqual([0, null]);
  });

  it('takes neither a bundle nor a name that leads out', async () => {
    const lane = bench.lane('from-nonsense');
    for (const input of [{ archive, bundle: '20261122T031500Z-1a2b3c4d' }, { archive: '../x' }, { archive: '/etc/x' }])
      expect((await failureOf(await bench.restore(lane, input))).code).toBe('InvalidInput');
  });
});

describe.concurrent('a bundle of another host', () => {
  const elsewhere = { ...wholeBundle, origin: { ...wholeBundle.origin, host: 'mac-0', os: 'macOS 15.7' } };

  it('is restored, and the plan says from where to where and what differs', async () => {
    const lane = bench.lane('moves');
    lane.chosen = { ...elsewhere, openclawVersion: '2025.11.3' };
    const { plan } = await (await bench.restore(lane)).result();
    expect(plan).toMatchObject({ host: 'mac-1', fromHost: 'mac-0' });
    expect(plan?.warnings).toEqual([
      'from host mac-0 to mac-1',
      'the bundle is of macOS 15.7, mac-1 has macOS 26.1',
      'the bundle is of OpenClaw 2025.11.3, the new host has 2026.11.1',
    ]);
  });

  it('is refused while the old gateway runs, unless that is accepted; its plan is shown', async () => {
    const lane = bench.lane('twin');
    lane.chosen = elsewhere;
    lane.originState = 'running';
    expect((await failureOf(await bench.restore(lane))).code).toBe('HostNotFenced');
    expectUntouched(lane);
    const { plan } = await (await bench.restore(lane, { dryRun: true })).result();
    expect(plan?.warnings.join()).toContain('still RUNS on host mac-0');
    await (await bench.restore(lane, { acceptRunning: true })).result();
    expect(lane.restored).toBe(true);
  });

  it.each(['loadable', 'unreachable', 'unknown'] as const)(
    'is restored with a warning when the old host is %s',
    async (state) => {
      const lane = bench.lane(`origin-${state}`);
      lane.chosen = elsewhere;
      lane.originState = state;
      const { plan } = await (await bench.restore(lane, { dryRun: true })).result();
      expect(plan?.warnings.filter((warning) => warning.includes('mac-0'))).toHaveLength(2);
    },
  );

  it.each([
    ['user', { user: 'agent-lane-2' }],
    ['home', { home: '/Users/other' }],
    ['port', { port: 11431 }],
  ])('is refused when the lane has another %s there', async (field, was) => {
    const lane = bench.lane(`differs-${field}`);
    lane.chosen = { ...elsewhere, origin: { ...elsewhere.origin, ...was } };
    const failure = await failureOf(await bench.restore(lane));
    expect(failure.code).toBe('HostDiffers');
    expect(failure.message).toContain(field);
    expectUntouched(lane);
  });
});
