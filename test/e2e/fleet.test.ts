// A fleet's bad day from outside: three lanes on two hosts, three worker processes (two for streams) under one parent.
// All are backed up, wrecked and restored in one run each, while a worker is killed in the middle; and no worker
// outlives its parent.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkShares } from '../../src/client/work-shares.ts';
import type { FleetResult } from '../../src/contract/fleet-run.ts';
import { laneSectionId } from '../../src/contract/names.ts';
import { bestBedKind } from '../bed/bed.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import { Rig } from '../rig/rig.ts';
import { wreckLane } from '../rig/wreck.ts';
import { isAlive } from '../setup/is-alive.ts';

const launcher = resolve(import.meta.dirname, '../../clawback');

interface Told extends FleetResult {
  readonly ok: boolean;
  readonly work: WorkShares;
  readonly temporal: { readonly seen: { readonly runs: readonly { readonly workflowId: string }[] } };
}

describe('a fleet of three lanes and two worker processes for streams', () => {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-fleet-'));
  let rig: Rig;
  let parent: ChildProcess;
  let log = '';

  beforeAll(async () => {
    rig = await Rig.start({
      kind: bestBedKind(),
      dir,
      hosts: [
        { name: 'mac-1', lanes: 2 },
        { name: 'mac-2', lanes: 1 },
      ],
      dataBytes: 8e6,
    });
    parent = spawn(launcher, ['worker', '--processes', '2', '--streams', '2'], {
      env: rig.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    parent.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    await until('all workers poll', () => readyPids().length === 3);
  });
  afterAll(async () => {
    parent.kill('SIGKILL');
    await rig.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Of all workers (or those with a queue whose name holds this) that have ever been ready, in their order. */
  function readyPids(queue = ''): number[] {
    const lines = [...log.matchAll(/^\{.*"pid":(\d+).*"msg":"worker ready"\}$/gm)];
    return lines.filter(([line]) => line.includes(queue)).map(([, pid]) => Number(pid));
  }

  async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const deadlineMs = Date.now() + 90_000;
    while (!(await isSo())) {
      if (Date.now() > deadlineMs) throw new Error(`in vain until ${what}:\n${log.slice(-4_000)}`);
      await sleep(50);
    }
  }

  function clawback(...argv: string[]): Promise<{ readonly status: number | null; readonly told: Told }> {
    const child = spawn(launcher, ['--json', ...argv], { env: rig.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => (text.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (text.err += chunk.toString()));
    return new Promise((fulfil, reject) =>
      child.once('close', (status) => {
        if (text.out === '') reject(new Error(`no result, status ${status}:\n${text.err}`));
        else fulfil({ status, told: JSON.parse(text.out) as Told });
      }),
    );
  }

  /** Has this worker a step of a section in its hands, between staging and the commit? */
  async function isInRestore(pid: number): Promise<boolean> {
    const steps = ['stageSegment', 'stopWriters', 'swapTrees', 'rehydrateSecrets', 'startGateway', 'smokeTest'];
    const looks = rig.bed.lanes.map(async ({ lane }) => {
      const { raw } = await rig.client.workflow.getHandle(laneSectionId('bed', lane)).describe();
      return (raw.pendingActivities ?? []).some(
        ({ activityType, lastWorkerIdentity }) =>
          steps.includes(activityType?.name ?? '') && lastWorkerIdentity === `${pid}@${hostname()}`,
      );
    });
    return (await Promise.all(looks)).includes(true);
  }

  it('backs all up in one run that both workers share', async () => {
    const { status, told } = await clawback('backup', '--all', '--tier', 'B');
    expect(told).toMatchObject({ ok: true, kind: 'backup', counts: { ok: 3, failed: 0 } });
    expect(told.lanes.map(({ lane, host, after }) => [lane, host, after])).toEqual([
      ['lane-1', 'mac-1', 'backed up'],
      ['lane-2', 'mac-1', 'backed up'],
      ['lane-3', 'mac-2', 'backed up'],
    ]);
    expect(told.wallMs).toBeLessThan(told.sequenceMs);
    const names = readyPids().map((pid) => `${pid}@${hostname()}`);
    expect(Object.keys(told.work.activitiesByWorker).toSorted()).toEqual(names.toSorted());
    expect(told.work).toMatchObject({ retried: 0, completed: told.work.scheduled });
    expect(status).toBe(0);
  });

  it('restores all of them wrecked, side by side, although a worker is killed in the middle', async () => {
    const before = rig.bed.lanes.map(pictureOf);
    for (const lane of rig.bed.lanes) await wreckLane(rig.bed, lane);
    const restoring = clawback('restore', '--all', '--yes');
    let victim = 0;
    await until('a worker of streams stages', async () => {
      for (const pid of readyPids('data')) if (await isInRestore(pid)) victim = pid;
      return victim !== 0;
    });
    process.kill(victim, 'SIGKILL');
    const { status, told } = await restoring;
    expect(told.lanes.map(({ outcome, after, code }) => ({ outcome, after, code }))).toEqual(
      rig.bed.lanes.map(() => ({ outcome: 'ok', after: 'restored', code: null })),
    );
    for (const [at, lane] of rig.bed.lanes.entries()) {
      expect(pictureDifferences(before[at] as (typeof before)[number], pictureOf(lane))).toEqual([]);
    }
    expect(told.rtoMs).toBeLessThan(told.wallMs);
    expect(told.work.retried).toBeGreaterThan(0);
    expect(told.work.completed).toBe(told.work.scheduled);
    expect(Object.keys(told.work.activitiesByWorker).length).toBeGreaterThan(1);
    // lanes of one host share a volume, which was measured for both
    expect(told.volumes.find(({ host }) => host === 'mac-1')?.lanes).toEqual(['lane-1', 'lane-2']);
    expect(status).toBe(0);
    await until('another worker has taken its place', () => readyPids().length === 4);
    expect(log).toContain(`"workerId":"${victim}","exitStatus":137`);
  });

  it('is cancelled as a whole: every lane is as it was, and says so', async () => {
    const before = rig.bed.lanes.map(pictureOf);
    const restoring = clawback('restore', '--all', '--yes');
    await until('a lane is being restored', async () => {
      const looks = await Promise.all(readyPids().map(isInRestore));
      return looks.includes(true);
    });
    const { runs } = (await clawback('status')).told.temporal.seen;
    expect(runs).toMatchObject([{ type: 'restoreFleet' }]);
    const { status, told } = await clawback('cancel', runs[0]?.workflowId ?? '');
    expect(told).toMatchObject({ ok: true, cancelled: true });
    expect(told.lanes).toMatchObject(
      rig.bed.lanes.map(({ lane }) => ({
        lane,
        gateway: { seen: { healthy: true } },
        restore: { seen: { unsettled: null } },
      })),
    );
    expect(status).toBe(0);
    expect(await restoring).toMatchObject({ status: 130, told: { ok: false, code: 'Cancelled' } });
    for (const [at, lane] of rig.bed.lanes.entries())
      expect(pictureDifferences(before[at] as (typeof before)[number], pictureOf(lane))).toEqual([]);
  });

  it('leaves no worker when the parent is killed with -9', async () => {
    parent.kill('SIGKILL');
    await until('no worker is left', () => !readyPids().some(isAlive));
    expect(readyPids().filter(isAlive)).toEqual([]);
  });
});
