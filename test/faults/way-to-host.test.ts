// One fault of each kind that the connection to a host can have, at the worst moment: cut, stalled, slow, sshd gone.
// The operation ends right all the same; what was finished is not sent again.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { completed, slow } from './expected.ts';
import { FaultRig, hostName } from './fault-rig.ts';
import { Scene } from './scene.ts';

const dir = mkdtempSync(join(tmpdir(), 'clawback-faults-'));

let rig: FaultRig;
let scene: Scene;

beforeAll(async () => {
  rig = await FaultRig.start({ dir, hosts: [{ name: hostName, lanes: 1 }], proxied: true });
  await rig.ensureWorkers();
  scene = await Scene.set(rig, 0);
});

beforeEach(async () => {
  rig.proxy.set({});
  await rig.ensureWorkers();
});

afterAll(async () => {
  await rig.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('the way to the host', () => {
  it('is cut in the middle of a segment, and the segment is sent over another connection', async () => {
    rig.proxy.set(slow);
    const midst = scene.arm({ activity: 'stageSegment', call: 3, when: 'during', delayMs: 700, action: 'pause' });
    const play = await scene.play('restore');
    await midst.happens();
    midst.release();
    rig.proxy.cut();
    rig.proxy.set({});
    expect(await play.end()).toMatchObject({ ...completed, lane: 'restored' });
  });

  it('stalls (SIGSTOP of sshd) for longer than a connection is believed in', async () => {
    rig.proxy.set(slow);
    const midst = scene.arm({ activity: 'backupSegment', call: 2, when: 'before', action: 'pause' });
    const play = await scene.play('backup');
    await midst.happens();
    const host = rig.rig.bed.host(scene.lane.host);
    midst.release();
    await sleep(500);
    host.pauseSshd();
    await sleep(12_000);
    host.resumeSshd();
    rig.proxy.set({});
    expect(await play.end()).toMatchObject({ ...completed, lane: 'as-before' });
  });

  it('is slow all the time, and nothing is taken for dead', async () => {
    rig.proxy.set({ bytesPerSecond: 600_000, latencyMs: 20 });
    const play = await scene.play('restore');
    const outcome = await play.running.outcome();
    rig.proxy.set({});
    expect(outcome).toBe('completed');
    const end = await play.end();
    expect(end).toMatchObject({ ...completed, lane: 'restored' });
    expect(end.runs.filter(({ attempt }) => attempt > 1)).toEqual([]);
  });

  it('ends when sshd is killed, and goes on when it is back', async () => {
    rig.proxy.set(slow);
    const midst = scene.arm({ activity: 'backupSegment', call: 2, when: 'during', delayMs: 500, action: 'pause' });
    const play = await scene.play('backup');
    await midst.happens();
    midst.release();
    const host = rig.rig.bed.host(scene.lane.host);
    await host.killSshd();
    rig.proxy.set({});
    await sleep(2_000);
    await host.startSshd();
    expect(await play.end()).toMatchObject({ ...completed, lane: 'as-before' });
  });
});
