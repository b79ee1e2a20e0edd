// Operations that somebody ends: cancelled, or terminated, which runs no clean-up of its own. Each lane comes back to
// what it was, by whoever is left: the section itself, its parent, or the watch.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { answersWithin } from './bad-day.ts';
import type { Fault } from './fault-folder.ts';
import { FaultRig, hostName } from './fault-rig.ts';
import type { OperationName } from './points.ts';
import { type Play, Scene } from './scene.ts';
import { type Running, sectionOf } from './stage.ts';

const dir = mkdtempSync(join(tmpdir(), 'clawback-faults-'));
const asBefore = { lane: 'as-before', broken: [], gatewayUp: true, resentSegments: 0, overwritten: 0, leftovers: 0 };
let rig: FaultRig;
let scenes: Scene[];

beforeAll(async () => {
  rig = await FaultRig.start({ dir, hosts: [{ name: hostName, lanes: 6 }] });
  await rig.ensureWorkers(1);
  scenes = await Promise.all([0, 1, 2, 3, 4, 5].map((at) => Scene.set(rig, at)));
});

afterAll(async () => {
  await rig.stop();
  rmSync(dir, { recursive: true, force: true });
});

type Moment = Pick<Fault, 'activity' | 'when'> & { readonly call?: number };
const inASegment = { activity: 'backupSegment', call: 2, when: 'before' } as const;
const whileStaging = { activity: 'stageSegment', call: 3, when: 'before' } as const;
const afterTheSwap = { activity: 'swapTrees', when: 'after' } as const;

/** Stops an operation at a moment, and ends it there. */
async function endAt(
  at: number,
  operation: OperationName,
  moment: Moment,
  end: (play: Play) => Promise<void>,
): Promise<{ play: Play; scene: Scene }> {
  const scene = scenes[at];
  if (!scene) throw new Error(`no lane ${at}`);
  const pause = scene.arm({ ...moment, action: 'pause' });
  const play = await scene.play(operation);
  await pause.happens();
  await end(play);
  pause.disarm();
  return { play, scene };
}

const operation = ({ workflowId }: Running): WorkflowHandle => rig.rig.client.workflow.getHandle(workflowId);
const cancel = async ({ running }: Play): Promise<void> => void (await operation(running).cancel());
const terminate = async ({ running }: Play): Promise<void> => void (await operation(running).terminate('a test'));
const terminateSection = (at: number) => async (): Promise<void> => {
  const scene = scenes[at];
  if (scene) await rig.rig.client.workflow.getHandle(sectionOf(scene)).terminate('a test');
};

describe.concurrent('an operation that is', () => {
  it('cancelled in the middle of a backup leaves the lane and the store as they were', async ({ expect }) => {
    const { play } = await endAt(0, 'backup', inASegment, cancel);
    expect(await play.end()).toMatchObject({ ...asBefore, outcome: 'failed:Cancelled' });
  });

  it('cancelled in a restore before anything was stopped leaves the gateway running', async ({ expect }) => {
    const { play, scene } = await endAt(1, 'restore', whileStaging, cancel);
    expect(await answersWithin(scene.lane, 0)).toBe(true);
    expect(await play.end()).toMatchObject({ ...asBefore, outcome: 'failed:Cancelled' });
  });

  it('cancelled in a restore after the swap goes back to the old tree', async ({ expect }) => {
    const { play } = await endAt(2, 'restore', afterTheSwap, cancel);
    expect(await play.end()).toMatchObject({ ...asBefore, outcome: 'failed:Cancelled' });
  });

  it('terminated as the parent alone is put right by its section', async ({ expect }) => {
    const { play } = await endAt(3, 'restore', afterTheSwap, terminate);
    expect(await play.end()).toMatchObject({ ...asBefore, outcome: 'failed:LaneUnsettled' });
  });

  it('terminated as the section alone is put right by its parent', async ({ expect }) => {
    const { play } = await endAt(4, 'restore', afterTheSwap, terminateSection(4));
    expect(await play.end()).toMatchObject({ ...asBefore, outcome: 'failed:RestoreFailed' });
  });

  it('terminated with its section is put right by the watch within a minute', async ({ expect }) => {
    const { play } = await endAt(5, 'restore', afterTheSwap, async (both) => {
      await terminate(both);
      await terminateSection(5)();
    });
    expect(await play.end()).toMatchObject({ ...asBefore, outcome: 'failed:LaneUnsettled' });
  });
});
