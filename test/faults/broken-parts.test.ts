// One fault of each kind that parts can have, at the worst moment: workers, server, host (way-to-host.test.ts has the
// connection). The operation ends right all the same; what was finished is not sent again; the lane is restored,
// never a mixture.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/domain/limits.ts';
import { answersWithin } from './bad-day.ts';
import { completed, slow } from './expected.ts';
import { FaultRig, hostName } from './fault-rig.ts';
import { resumedAfterMs } from './history.ts';
import { ageKept, type LaneLook, lookAt } from './lane-look.ts';
import { resumeMs } from './run-row.ts';
import { Scene } from './scene.ts';

const dir = mkdtempSync(join(tmpdir(), 'clawback-faults-'));
/** Each command takes a tenth of a second more: gaps between steps are wide enough to be met. */
const far = { latencyMs: 40 };

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

describe('a worker killed with -9', () => {
  it('in the middle of a segment of a backup costs that segment alone, and another goes on within 10 s', async () => {
    rig.proxy.set(slow);
    const death = scene.arm({ activity: 'backupSegment', call: 3, when: 'during', delayMs: 700, action: 'kill' });
    const play = await scene.play('backup');
    const fired = await death.happens();
    expect(scene.uploads).toBeGreaterThan(0);
    rig.proxy.set({});
    const end = await play.end();
    expect(end).toMatchObject({ ...completed, lane: 'as-before' });
    expect(resumedAfterMs(end.runs, 'backupSegment', fired)).toBeLessThan(resumeMs);
  });

  it('in the middle of a segment of a restore costs that segment alone', async () => {
    rig.proxy.set(slow);
    const death = scene.arm({ activity: 'stageSegment', call: 3, when: 'during', delayMs: 700, action: 'kill' });
    const play = await scene.play('restore');
    const fired = await death.happens();
    rig.proxy.set({});
    const end = await play.end();
    expect(end).toMatchObject({ ...completed, lane: 'restored' });
    expect(resumedAfterMs(end.runs, 'stageSegment', fired)).toBeLessThan(resumeMs);
  });

  it('between the renames of a swap leaves the rest to the next, the gateway down meanwhile', async () => {
    const pause = scene.arm({ activity: 'swapTrees', when: 'before', action: 'pause' });
    const play = await scene.play('restore');
    const { pid } = await pause.happens();
    rig.proxy.set(far);
    pause.release();
    await scene.until('the first rename', () => scene.renamesDone() > 0);
    rig.worker(pid).kill();
    const killedAtMs = Date.now();
    await sleep(500);
    expect(scene.renamesDone()).toBeLessThan(scene.journal()?.renames.length ?? 0);
    expect(await answersWithin(scene.lane, 0)).toBe(false);
    rig.proxy.set({});
    const end = await play.end();
    expect(end).toMatchObject({ ...completed, lane: 'restored' });
    expect(resumedAfterMs(end.runs, 'swapTrees', { pid, atMs: killedAtMs, attempt: 1 })).toBeLessThan(resumeMs);
  });
});

describe('the Temporal server and all workers killed with -9 together', () => {
  it('come back to a restore that goes on where it was', async () => {
    rig.proxy.set(slow);
    const midst = scene.arm({ activity: 'stageSegment', call: 4, when: 'before', action: 'pause' });
    const play = await scene.play('restore');
    await midst.happens();
    await rig.killEverything();
    midst.disarm();
    rig.proxy.set({});
    expect(await play.end()).toMatchObject({ ...completed, lane: 'restored' });
  });
});

describe('a host that loses power', () => {
  it('after each step of a swap starts no half tree, and the restore ends all the same', async () => {
    const play = await scene.play('restore');
    const host = rig.rig.bed.host(scene.lane.host);
    const swapped = (): number => scene.renamesDone();
    await scene.until('the journal', () => (scene.journal()?.renames.length ?? 0) > 0);
    const renames = scene.journal()?.renames.length ?? 0;
    expect(renames).toBeGreaterThanOrEqual(4);
    rig.proxy.set(far);
    const seen: number[] = [];
    for (let wanted = 1; wanted < renames; wanted += 1) {
      await scene.until(`rename ${wanted}`, () => swapped() >= wanted);
      await host.kill();
      const done = swapped();
      seen.push(done);
      await host.boot();
      if (done < renames) expect(await answersWithin(scene.lane, 1_000)).toBe(false);
    }
    rig.proxy.set({});
    expect(seen.filter((done) => done < renames).length).toBeGreaterThanOrEqual(2);
    expect(await play.end()).toMatchObject({ ...completed, lane: 'restored' });
  });
});

describe('what restores replaced', () => {
  it('is gone with the next good backup once it is seven days old, of every restore', async () => {
    const { bed } = rig.rig;
    expect(keptBaks(await lookAt(bed, scene.lane))).not.toEqual([]);
    expect(ageKept(bed, scene.lane, limits.backupTreeKeptMs)).toBeGreaterThan(1);
    const play = await scene.play('small backup');
    expect(await play.end()).toMatchObject({ ...completed, lane: 'as-before' });
    expect(keptBaks(await lookAt(bed, scene.lane))).toEqual([]);
  });
});

function keptBaks({ kept }: LaneLook): string[] {
  return kept.filter((name) => name.includes('.bak.'));
}
