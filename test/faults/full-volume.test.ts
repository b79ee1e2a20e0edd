// The volume of a lane fills to its last block, by somebody else, while something is done to the lane. What was kept aside
// lets a lane whose gateway is down be put right at once; where that is used up too, the operator is told, and it goes on
// by itself as soon as there is room.

import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readProgress } from '../../src/client/progress.ts';
import { Journal } from '../../src/contract/journal.ts';
import { emptyDisk, fillDisk, moveOntoSmallDisk, usedPercent } from '../bed/small-disk.ts';
import { answersWithin } from './bad-day.ts';
import { completed } from './expected.ts';
import { FaultRig, hostName } from './fault-rig.ts';
import { gatewayPids } from '../rig/wreck.ts';
import type { OperationName } from './points.ts';
import { type Play, Scene } from './scene.ts';

/** A gateway that is stopped when the volume fills may be down for so long. */
const downMs = 60_000;
const advice = 'its volume is full; free some MB on it';

describe.skipIf(process.getuid?.() !== 0)('a volume that fills (root mounts it)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-faults-'));
  let rig: FaultRig;
  let scene: Scene;
  let removeDisk: () => void;

  beforeAll(async () => {
    rig = await FaultRig.start({ dir, hosts: [{ name: hostName, lanes: 1 }], kind: 'sshd' });
    const [lane] = rig.rig.bed.lanes;
    if (!lane) throw new Error('the bed has no lane');
    removeDisk = await moveOntoSmallDisk(rig.rig.bed, lane, { dir, sizeBytes: 240e6 });
    await rig.ensureWorkers(1);
    scene = await Scene.set(rig, 0);
  });

  afterEach(() => emptyDisk(scene.lane));

  afterAll(async () => {
    await rig?.stop();
    removeDisk?.();
    rmSync(dir, { recursive: true, force: true });
  });

  /** The operation stands still before that activity while the volume fills. */
  async function fillBefore(
    activity: string,
    operation: OperationName,
    first: () => void = () => undefined,
  ): Promise<Play> {
    const pause = scene.arm({ activity, when: 'before', action: 'pause' });
    const play = await scene.play(operation);
    const early = play.running.outcome().then((outcome) => {
      throw new Error(`it ended before ${activity}: ${outcome}`);
    });
    await Promise.race([pause.happens(), early]);
    early.catch(() => undefined);
    first();
    fillDisk(scene.lane);
    expect(usedPercent(scene.lane)).toBe(100);
    pause.release();
    return play;
  }

  /** As if there had been none. */
  function dropBallast(): void {
    const found = globSync('.clawback/stage/*/ballast', { cwd: scene.lane.realHome });
    expect(found).toHaveLength(1);
    for (const path of found) rmSync(join(scene.lane.realHome, path));
  }

  /** The journal on the lane is whole, whatever could not be written. */
  function journal(): Journal {
    return Journal.parse(JSON.parse(readFileSync(join(scene.lane.realHome, '.clawback/journal/journal.json'), 'utf8')));
  }

  /** What somebody who follows the operation reads. */
  async function told(play: Play): Promise<string> {
    const followed = { fleet: 'bed', lane: scene.lane.lane, workflowId: play.running.workflowId };
    for (const untilMs = Date.now() + 30_000; ; await sleep(200)) {
      const { retrying } = await readProgress(rig.rig.client, followed);
      if (retrying[0]) return retrying[0].message;
      if (Date.now() > untilMs) throw new Error('nothing was told');
    }
  }

  it('in a restore does not keep the gateway down: the restore ends', async () => {
    const play = await fillBefore('rehydrateSecrets', 'restore');
    expect(gatewayPids(scene.lane)).toEqual([]);
    expect(await answersWithin(scene.lane, downMs)).toBe(true);
    expect(await play.running.outcome()).toBe('completed');
    emptyDisk(scene.lane);
    expect(await play.end()).toMatchObject({ ...completed, lane: 'restored' });
  });

  it('in a restore that fails goes back to the old tree', async () => {
    const play = await fillBefore('startGateway', 'failing restore');
    expect(await play.running.outcome()).toBe('failed:MessageUnanswered');
    expect(await answersWithin(scene.lane, 1_000)).toBe(true);
    emptyDisk(scene.lane);
    expect(await play.end()).toMatchObject({ ...completed, outcome: 'failed:MessageUnanswered', lane: 'as-before' });
  });

  it('without anything kept aside is told, the journal whole, and the restore ends when there is room', async () => {
    const play = await fillBefore('startGateway', 'restore', dropBallast);
    expect(await told(play)).toContain(advice);
    expect(journal()).toMatchObject({ phase: 'open' });
    expect(gatewayPids(scene.lane)).toEqual([]);
    emptyDisk(scene.lane);
    expect(await play.end()).toMatchObject({ ...completed, lane: 'restored' });
  });

  it('in a backup stops no gateway, is told, and the backup ends when there is room', async () => {
    const before = gatewayPids(scene.lane);
    const play = await fillBefore('captureLane', 'backup');
    expect(await told(play)).toContain(advice);
    expect(gatewayPids(scene.lane)).toEqual(before);
    emptyDisk(scene.lane);
    expect(await play.end()).toMatchObject({ ...completed, lane: 'as-before' });
  });
});
