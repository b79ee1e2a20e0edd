// The demo as a newcomer runs it, on little data: what it prints, what it leaves, and what it never touches.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findVersitygw } from '../../src/embedded/versitygw.ts';
import { bestBedKind } from '../bed/bed.ts';
import type { DemoReport } from '../demo/run-demo.ts';
import { machinePicture, startDemo, survivors, withoutVersitygw } from './demo-kit.ts';

/** Two demos, of which one has a gate, on a machine that does much else. */
const slowMs = 600_000;
const scratch = mkdtempSync(join(tmpdir(), 'clawback-demo-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function reportOf(stdout: string): DemoReport {
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  return JSON.parse(stdout) as DemoReport;
}

describe('the demo', () => {
  it('killed in the middle leaves no process; the next one cleans up and tells all chapters, and neither touches the machine', {
    timeout: slowMs,
  }, async () => {
    const dir = join(scratch, 'killed');
    const before = machinePicture();
    const killed = startDemo(dir, ['--json']);
    await killed.says('backing up');
    const family = killed.family();
    expect(family.length).toBeGreaterThan(5);
    killed.child.kill('SIGKILL');
    await killed.exited;
    const { folders } = JSON.parse(readFileSync(join(dir, 'bed/bed.json'), 'utf8')) as { folders: string[] };
    expect(folders.every((folder) => existsSync(folder))).toBe(true);
    expect(await survivors(family)).toEqual([]);
    expect(machinePicture()).toEqual(before);

    const next = startDemo(dir, ['--json']);
    await next.says('backing up');
    expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
    const nextFamily = next.family();
    expect([await next.exited, next.stderr()]).toEqual([0, expect.stringMatching(/^found .*stand-ins\n/)]);
    expect(await survivors(nextFamily)).toEqual([]);
    expect(existsSync(dir)).toBe(false);
    expect(machinePicture()).toEqual(before);

    const report = reportOf(next.stdout());
    expect(report).toMatchObject({
      ok: true,
      bed: bestBedKind() === 'in-process' ? 'in-process' : 'sshd',
      store: (await findVersitygw()) === undefined ? 'directory' : 's3',
    });
    expect(report.elapsedMs).toBeGreaterThan(0);
    expect(report.setupMs).toBeGreaterThanOrEqual(0);
    expect(report.lanes.map(({ lane }) => lane)).toEqual(['lane-1', 'lane-2', 'lane-3']);
    for (const { backup } of report.lanes) {
      expect(backup.bundle).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{8}$/);
      expect(backup.segments).toBeGreaterThan(1);
      expect(backup.sizeBytes).toBeGreaterThan(2e6);
      expect(backup.sealedBytes).toBeGreaterThan(1e5);
    }
    for (const { restore } of report.lanes) {
      expect(restore).toMatchObject({ messageAnswered: true, identical: true, differences: [] });
      expect(restore?.rtoMs).toBeGreaterThan(0);
      expect(restore?.rtoMs).toBeLessThanOrEqual(report.fleet.wallMs);
      expect(restore?.steps.map(({ step }) => step)).toEqual(['stop', 'tree', 'secrets', 'smoke']);
      for (const { ms, budgetMs } of restore?.steps ?? []) expect(ms).toBeLessThan(budgetMs);
    }
    const { incidents, gate, receipts } = report;
    expect(incidents).toMatchObject([
      { scenario: 'bad-upgrade', subject: 'lane-1', phase: 'recovered', messageAnswered: true, faults: [] },
    ]);
    expect(incidents[0]?.signal?.code).toBe('exit-loop');
    expect(gate).toMatchObject({ host: 'mac-1', phase: 'signed', dayLengthMs: 5000 });
    expect(gate?.days.map(({ day, state }) => `${day} ${state}`)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((day) => `${day} passed`),
    );
    expect(receipts.every(({ verified }) => verified)).toBe(true);
    expect(new Set(receipts.map(({ kind }) => kind))).toEqual(new Set(['restore', 'incident bad-upgrade', 'gate']));
    expect(receipts.map(({ receipt }) => receipt)).toEqual(
      expect.arrayContaining([gate?.receipt, incidents[0]?.receipt]),
    );
    const { fleet, lanes } = report;
    expect(fleet.rtoMs).toBe(Math.max(...lanes.map(({ restore }) => restore?.rtoMs ?? 0)));
    expect(fleet.wallMs).toBeLessThan(fleet.sequenceMs);
  });

  it('is kept up on an SSH server of its own and a folder for a store, with the UI answering, until Ctrl-C', async () => {
    const dir = join(scratch, 'kept');
    const cache = join(scratch, 'cache');
    const demo = startDemo(dir, ['--keep', '--short', '--bed', 'in-process'], withoutVersitygw(cache));
    await demo.says('kept up until Ctrl-C');
    expect(demo.stderr()).toMatch(/^store: a directory \(no versitygw/m);
    // nor does it fetch or build one
    expect(existsSync(cache)).toBe(false);
    const url = /Temporal UI (http:\S+)/.exec(demo.stderr())?.[1] ?? '';
    expect((await fetch(url)).status).toBe(200);
    expect(demo.stdout()).toContain('restored 3 of 3 lanes at once');
    expect(demo.stdout()).toMatch(/^ +message answered( +yes){3}$/m);
    expect(demo.stdout()).toMatch(/^ +identical( +yes){3}$/m);
    expect(demo.stdout()).toMatch(/^ +RTO, one clock +90 min( +[\d.]+ s){3}$/m);
    expect(demo.stdout()).toMatch(/, store: directory$/m);
    expect(demo.stdout()).toMatch(/^receipts: 3 of 3 verified with the public key alone \(3 restore\)$/m);
    const family = demo.family();
    demo.child.kill('SIGINT');
    expect(await demo.exited).toBe(0);
    expect(await survivors(family)).toEqual([]);
    expect(existsSync(dir)).toBe(false);
  });

  it('touches no folder that it did not make', async () => {
    const dir = join(scratch, 'mine');
    mkdirSync(dir);
    writeFileSync(join(dir, 'thesis.txt'), 'years of work');
    const demo = startDemo(dir, ['--json']);
    expect(await demo.exited).toBe(1);
    expect(JSON.parse(demo.stdout())).toEqual({
      ok: false,
      error: expect.stringContaining('was not made by a demo') as string,
    });
    expect(readdirSync(dir)).toEqual(['thesis.txt']);
  });
});
