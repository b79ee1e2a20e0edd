// All rows: each registered activity, met by each fault at each of its points. Rows run on a few rigs side by side;
// a lane on which a promise broke is not used again.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createActivities, type Deps } from '../../src/activities/index.ts';
import { startBackup } from '../../src/client/start.ts';
import type { BackupResult } from '../../src/contract/results.ts';
import type { BedLane } from '../bed/bed.ts';
import type { RigStoreKind } from '../rig/rig-store.ts';
import { FaultRig } from './fault-rig.ts';
import { lookAt } from './lane-look.ts';
import { type FaultName, faultsOf, kindOf, type Point, points, type RigKind } from './points.ts';
import { rigKinds } from './rig-kinds.ts';
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

interface Judged {
  readonly broken: readonly string[];
}

interface Work<T, R extends Judged> extends Pick<SweepOptions<T, R>, 'store' | 'onRow' | 'onFailure'> {
  readonly waiting: T[];
  readonly kind: RigKind;
  readonly run: (stage: LaneStage, task: T) => Promise<R>;
  /** Is no other row made on the lane after this one? One on which a promise broke is left in any case. */
  readonly usesUp: (task: T) => boolean;
}

/** Activities under their faults: each rig takes a kind that no other has, and helps with the most in the end. */
export async function sweepFaults({ tasks, rigs, ...options }: SweepOptions<Task, Row>): Promise<void> {
  const work = (kind: RigKind): Work<Task, Row> => ({
    ...options,
    kind,
    waiting: tasks.filter(({ point }) => kindOf(point) === kind),
    run: (stage, { activity, point, fault }) => runRow(stage, activity, point, fault),
    usesUp: ({ point }) => point.operation === 'host loss',
  });
  const shared = work('lanes');
  const own = (['losses', 'host', 'modern'] as const).map(work);
  const one = async (): Promise<void> => {
    for (let next = own.shift(); next !== undefined; next = own.shift()) await workThrough(next);
    await workThrough(shared);
  };
  await sideBySide(Math.min(rigs, tasks.length), one);
}

async function sideBySide(width: number, one: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: width }, one));
}

/** Operations under the faults of an S3 server. */
export async function sweepStore({ tasks, rigs, ...options }: SweepOptions<StorePoint, StoreRow>): Promise<void> {
  const work: Work<StorePoint, StoreRow> = {
    ...options,
    kind: 'lanes',
    waiting: [...tasks],
    run: runStoreRow,
    usesUp: () => false,
  };
  await sideBySide(Math.min(rigs, tasks.length), () => workThrough(work));
}

/** On one rig after the other, until nothing is left. */
async function workThrough<T, R extends Judged>(work: Work<T, R>): Promise<void> {
  while (work.waiting.length > 0) await workOnRig(work);
}

async function workOnRig<T, R extends Judged>(work: Work<T, R>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-faults-'));
  const { hosts, lanes } = rigKinds[work.kind];
  const rig = await FaultRig.start({ dir, hosts, store: work.store });
  try {
    await rig.ensureWorkers();
    for (const lane of rig.rig.bed.lanes.slice(0, lanes)) {
      if (work.waiting.length === 0) break;
      await workOnLane(await newStage(rig, lane, work.kind), work);
    }
  } finally {
    await rig.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function workOnLane<T, R extends Judged>(stage: LaneStage, work: Work<T, R>): Promise<void> {
  for (let task = work.waiting.shift(); task !== undefined; task = work.waiting.shift()) {
    const isWhole = await runTask(stage, task, work);
    if (!isWhole || work.usesUp(task)) return;
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

/** A lane that has been backed up, with those beside it where rows are about their host. */
async function newStage(rig: FaultRig, lane: BedLane, kind: RigKind): Promise<LaneStage> {
  const others = rig.rig.bed.lanes.filter((one) => kind === 'host' && one !== lane);
  const [{ bundle }] = await Promise.all([backUp(rig, lane), ...others.map((other) => backUp(rig, other))]);
  return { rig, lane, bundle, saved: await lookAt(rig.rig.bed, lane) };
}

async function backUp({ rig: { client } }: FaultRig, { lane }: BedLane): Promise<BackupResult> {
  return (await startBackup(client, { lane, tier: 'B' })).result();
}
