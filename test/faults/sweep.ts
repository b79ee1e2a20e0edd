// All rows: each registered activity, met by each fault at each of its points. Rows run on a few rigs side by side;
// a lane on which a promise broke is not used again.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createActivities, type Deps } from '../../src/activities/index.ts';
import { startBackup } from '../../src/client/start.ts';
import type { BedProfile } from '../bed/bed-types.ts';
import { FaultRig } from './fault-rig.ts';
import { lookAt } from './lane-look.ts';
import { type FaultName, faultsOf, type Point, points } from './points.ts';
import { type LaneStage, type Row, runRow } from './run-row.ts';

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

export interface SweepOptions {
  readonly tasks: readonly Task[];
  /** Rigs side by side. */
  readonly rigs: number;
  onRow(row: Row): void;
  /** A row that could not be made: its fault never happened, or the rig broke. */
  onFailure(task: Task, error: unknown): void;
}

/** Lanes of a rig: each row that breaks a promise uses one up. */
const lanesPerRig = 4;

export async function sweepFaults(options: SweepOptions): Promise<void> {
  const modern = options.tasks.filter(({ point }) => point.profile !== undefined);
  const others = options.tasks.filter(({ point }) => point.profile === undefined);
  const width = Math.min(options.rigs, others.length);
  await Promise.all([
    ...Array.from({ length: width }, () => workThrough(others, 'slimvps-legacy', options)),
    ...(modern.length > 0 ? [workThrough(modern, 'openclaw-2026', options)] : []),
  ]);
}

async function workThrough(waiting: Task[], profile: BedProfile, options: SweepOptions): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-faults-'));
  const rig = await FaultRig.start({ dir, lanes: lanesPerRig, profile });
  try {
    await rig.ensureWorkers();
    let fresh = 0;
    let stage = await newStage(rig, fresh);
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      const isWhole = await runTask(stage, task, options);
      if (!isWhole && waiting.length > 0) stage = await newStage(rig, (fresh += 1));
    }
  } finally {
    await rig.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function runTask(stage: LaneStage, task: Task, options: SweepOptions): Promise<boolean> {
  try {
    await stage.rig.ensureWorkers();
    const row = await runRow(stage, task.activity, task.point, task.fault);
    options.onRow(row);
    return row.broken.length === 0;
  } catch (error) {
    options.onFailure(task, error);
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
