// One row of the sweep: a lane is lived on, an operation started, one fault happens at one activity, and then
// everything that was promised is looked at.

import { setTimeout as sleep } from 'node:timers/promises';
import type { BedProfile } from '../bed/bed-types.ts';
import { type Aftermath, aftermath, type Looks } from './aftermath.ts';
import { liveOn } from './bad-day.ts';
import type { Armed } from './fault-folder.ts';
import { resumedAfterMs } from './history.ts';
import { type LaneLook, lookAt } from './lane-look.ts';
import { letOneGo, restores, type Stage, sectionOf, startOperation } from './operations.ts';
import { type FaultName, isInParent, onlyWarns, type OperationName, type Point } from './points.ts';
import { StoreWatch } from './store-watch.ts';

export interface Row extends Omit<Aftermath, 'runs'> {
  readonly activity: string;
  readonly fault: FaultName;
  readonly operation: OperationName;
  readonly profile: BedProfile;
  readonly outcome: string;
  /** From a worker's death to the next attempt; null when no worker died. */
  readonly resumedMs: number | null;
  readonly elapsedMs: number;
}

export interface LaneStage extends Stage {
  /** How the lane looked when it was backed up. */
  readonly saved: LaneLook;
}

/** Longer than any operation here takes when a worker dies in it. */
const operationMs = 150_000;
/** Work goes on so soon after a worker's death when another one runs. */
export const resumeMs = 10_000;

/** @throws Error when the fault did not happen: then the row says nothing */
export async function runRow(stage: LaneStage, activity: string, point: Point, fault: FaultName): Promise<Row> {
  const startedMs = Date.now();
  const { operation } = point;
  const looks = await prepare(stage, operation);
  const store = new StoreWatch(stage.rig.rig.storePath);
  const armed = armFault(stage, activity, point, fault);
  try {
    const running = await startOperation(stage, operation);
    const seenLooks = operation === 'talking backup' ? { ...looks, before: await lookOf(stage) } : looks;
    const replaced = fault === 'fail' ? Promise.resolve() : replaceWorker(stage, armed);
    replaced.catch(() => undefined); // told below, once the operation has ended
    const outcome = await within(running.outcome());
    const { fired } = armed;
    if (!fired) throw new Error(`${activity} was never called so often in ${operation}: ${outcome}`);
    await replaced;
    const { workflowId } = running;
    const wentBack = outcome === 'failed:UpgradeFailed';
    const { runs, ...after } = await aftermath(stage, { workflowId, looks: seenLooks, store, wentBack });
    const resumedMs = fault === 'fail' ? null : resumedAfterMs(runs, activity, fired);
    const { profile } = stage.lane;
    const seen = { activity, fault, operation, profile, outcome, resumedMs, ...after };
    return { ...seen, elapsedMs: Date.now() - startedMs, broken: [...after.broken, ...brokenPromises(seen)] };
  } finally {
    armed.disarm();
    store.stop();
  }
}

/** Lives on, and does what has to be done before the operation can be started. */
export async function prepare(stage: LaneStage, operation: OperationName): Promise<Looks> {
  await liveOn(stage.rig.rig.bed, stage.lane, Date.now().toString(36));
  const lived = await lookOf(stage);
  if (operation === 'removal') await letOneGo(stage);
  if (operation !== 'undo') return { before: lived, target: stage.saved };
  const outcome = await within((await startOperation(stage, 'restore')).outcome());
  if (outcome !== 'completed') throw new Error(`the restore before the undo: ${outcome}`);
  return { before: await lookOf(stage), target: lived };
}

function lookOf({ rig, lane }: Stage): Promise<LaneLook> {
  return lookAt(rig.rig.bed, lane);
}

const whens = { kill: 'during', 'lost answer': 'after', fail: 'before' } as const;

/** Beginnings of the ids of what is no backup of the lane. */
const parents: Partial<Record<OperationName, string>> = {
  watch: 'watched/',
  'fleet plan': 'plan-restore-fleet/',
  'fleet restore': 'restore-fleet/',
  copy: 'replicate/',
  'copy all': 'replicate/',
  verify: 'verify/',
  'plan recovery': 'incident/',
};

function armFault(stage: LaneStage, activity: string, point: Point, fault: FaultName): Armed {
  const { operation, call = 1, delayMs = 60 } = point;
  const parent = parents[operation] ?? `backup/${stage.lane.lane}/`;
  return stage.rig.faults.arm({
    activity,
    call,
    delayMs,
    workflow: isInParent(activity) ? parent : sectionOf(stage),
    when: whens[fault],
    action: fault === 'fail' ? 'fail' : 'kill',
    code: 'SudoRefused',
  });
}

/** As soon as a worker is dead another one is started, for the next row. */
async function replaceWorker({ rig }: LaneStage, armed: Armed): Promise<void> {
  while (!armed.fired && !armed.disarmed) await sleep(50);
  if (armed.disarmed) return;
  while (rig.workers.length > 1) await sleep(50);
  await rig.ensureWorkers();
}

/** The outcome, or that there was none for far too long. */
export async function within(outcome: Promise<string>): Promise<string> {
  return Promise.race([outcome, sleep(operationMs, 'failed:NeverEnded', { ref: false })]);
}

function brokenPromises(row: Omit<Row, 'broken' | 'elapsedMs'>): string[] {
  const { activity, outcome, lane, operation, fault, resumedMs } = row;
  const died = fault !== 'fail';
  return [
    ...(outcome === 'completed' && restores(operation) && lane === 'as-before'
      ? ['completed, but the lane is as before']
      : []),
    ...(lane === 'restored' && !restores(operation) ? [`restored by an operation that restores nothing`] : []),
    ...(died && operation !== 'failing restore' && outcome !== 'completed'
      ? [`a worker's death ended it: ${outcome}`]
      : []),
    ...(fault === 'fail' && outcome === 'completed' && !onlyWarns.includes(activity)
      ? ['its failure was passed over']
      : []),
    ...(died && resumedMs === null ? ['the activity was not tried again'] : []),
    ...(resumedMs !== null && resumedMs > resumeMs ? [`resumed only after ${resumedMs} ms`] : []),
  ];
}
