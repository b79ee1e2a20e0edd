// All rows: each registered activity, met by each fault at each of its points. Rows run on a few rigs side by side;
// a lane on which a promise broke is not used again.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createActivities, type Deps } from '../../src/activities/index.ts';
import { startBackup } from '../../src/client/start.ts';
import type { BedProfile } from '../bed/bed-types.ts';
import type { RigStoreKind } from '../rig/rig-store.ts';
import { FaultRig } from './fault-rig.ts';
import { lookAt } from './lane-look.ts';
import { type FaultName, faultsOf, type Point, points } from './points.ts';
import { type LaneStage, type Row, runRow } from './run-row.ts';
import { runStoreRow, type StorePoint, type StoreRow } from './store-rows.ts';

export interface Task {
  readonly activity: string;
  readonly point: Point;
  readonly fault: FaultName;
}

/** Nothing is asked of what activities need before one of them runs. */
const noDeps = new Proxy({}, { get: () => undefined }) as Deps;

/** By the code that workers register: a new activity is there at once. */
export function registeredActivities(): string[] {
  return Object.values(createActivities(noDeps)).flatMap((steps: object) => Object.keys(steps));
}

export function activitiesWithoutRow(activities: readonly string[] = registeredActivities()): string[] {
  return activities.filter((activity) => (points[activity] ?? []).length === 0);
}

/** @param only these activities; all when left out */
export function tasksOf(only?: readonly string[]): Task[] {
  const activities = registeredActivities().filter((activity) => only?.includes(activity) ?? true);
  return activities.flatMap((activity) =>
    (points[activity] ?? []).flatMap((point) => faultsOf(activity, point).map((fault) => ({ activity, point, fault }))),
  );
}

export interface SweepOptions<T, R> {
  readonly tasks: readonly T[];
  /** Rigs side by side. */
  readonly rigs: number;
  readonly store: RigStoreKind;
  readonly onRow: (row: R) => void;
  /** A row that could not be made: its fault never happened, or the rig broke. */
  readonly onFailure: (task: T, error: unknown) => void;
}

interface Work<T, R> extends Pick<SweepOptions<T, R>, 'store' | 'onRow' | 'onFailure'> {
  readonly waiting: T[];
  readonly profile: BedProfile;
  readonly run: (stage: LaneStage, task: T) => Promise<R>;
}

/** Lanes of a rig: each row that breaks a promise uses one up. */
const lanesPerRig = 4;

/** Activities under their faults. */
export async function sweepFaults({ tasks, rigs, ...options }: SweepOptions<Task, Row>): Promise<void> {
  const modern = tasks.filter(({ point }) => point.profile !== undefined);
  const others = tasks.filter(({ point }) => point.profile === undefined);
  const run = (stage: LaneStage, { activity, point, fault }: Task) => runRow(stage, activity, point, fault);
  const old = { ...options, run, waiting: others, profile: 'slimvps-legacy' } as const;
  await Promise.all([
    workSideBySide(old, rigs),
    ...(modern.length > 0 ? [workThrough({ ...old, waiting: modern, profile: 'openclaw-2026' })] : []),
  ]);
}

/** Operations under the faults of an S3 server. */
export async function sweepStore({ tasks, rigs, ...options }: SweepOptions<StorePoint, StoreRow>): Promise<void> {
  await workSideBySide({ ...options, run: runStoreRow, waiting: [...tasks], profile: 'slimvps-legacy' }, rigs);
}

async function workSideBySide<T, R extends Judged>(work: Work<T, R>, rigs: number): Promise<void> {
  const width = Math.min(rigs, work.waiting.length);
  await Promise.all(Array.from({ length: width }, () => workThrough(work)));
}

interface Judged {
  readonly broken: readonly string[];
}

async function workThrough<T, R extends Judged>(work: Work<T, R>): Promise<void> {
  const { waiting, profile, store } = work;
  const dir = mkdtempSync(join(tmpdir(), 'clawback-faults-'));
  const rig = await FaultRig.start({ dir, lanes: lanesPerRig, profile, store });
  try {
    await rig.ensureWorkers();
    let fresh = 0;
    let stage = await newStage(rig, fresh);
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      const isWhole = await runTask(stage, task, work);
      if (!isWhole && waiting.length > 0) stage = await newStage(rig, (fresh += 1));
    }
  } finally {
    await rig.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function runTask<T, R extends Judged>(stage: LaneStage, task: T, work: Work<T, R>): Promise<boolean> {
  try {
    await stage.rig.ensureWorkers();
    const row = await work.run(stage, task);
    work.onRow(row);
    return row.broken.length === 0;
  } catch (error) {
    work.onFailure(task, error);
    return false;
  }
}

/** A lane that has been backed up. */
async function newStage(rig: FaultRig, at: number): Promise<LaneStage> {
  const lane = rig.rig.bed.lanes[at % lanesPerRig];
  if (!lane) throw new Error('the bed has no lane');
  const { bundle } = await (await startBackup(rig.rig.client, { lane: lane.lane, tier: 'B' })).result();
  return { rig, lane, bundle, saved: await lookAt(rig.rig.bed, lane) };
}
