// One row of the sweep: a lane is lived on, an operation started, one fault happens at one activity, and then
// everything that was promised is looked at.

import { setTimeout as sleep } from 'node:timers/promises';
import { startBackup } from '../../src/client/start.ts';
import { movedId } from '../../src/contract/names.ts';
import type { BedProfile } from '../bed/bed-types.ts';
import { type Aftermath, aftermath, type Looks } from './aftermath.ts';
import { liveOn } from './bad-day.ts';
import type { Armed } from './fault-folder.ts';
import { resumedAfterMs } from './history.ts';
import { type LaneLook, lookAt } from './lane-look.ts';
import { copyOnce, letOneGo, restores, startOperation } from './operations.ts';
import {
  askedAgain,
  keepers,
  type FaultName,
  isInParent,
  looksOnce,
  onlyWarns,
  type OperationName,
  type Point,
} from './points.ts';
import { type Stage, sectionOf } from './stage.ts';
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

/** Longer than any operation here takes when a worker dies in it: settling a lane that cannot be started is tried 8 times. */
const operationMs = 300_000;
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
    const wentBack = outcome === 'failed:UpgradeFailed';
    const { runs, ...after } = await aftermath(stage, { running, looks: seenLooks, store, wentBack });
    const resumedMs = fault === 'fail' ? null : resumedAfterMs(runs, activity, fired);
    const asked = runs.filter((run) => run.activity === activity && run.attempt > 0).length;
    const { profile } = stage.lane;
    const seen = { activity, fault, operation, profile, outcome, resumedMs, ...after };
    const broken = [...after.broken, ...brokenPromises({ ...seen, asked })];
    return { ...seen, elapsedMs: Date.now() - startedMs, broken };
  } finally {
    armed.disarm();
    store.stop();
  }
}

/** Lives on, and does what has to be done before the operation can be started. */
export async function prepare(stage: LaneStage, operation: OperationName): Promise<Looks> {
  const ownArchive = operation === 'cross-write' ? await archiveAll(stage) : undefined;
  await liveOn(stage.rig.rig.bed, stage.lane, Date.now().toString(36));
  const lived = await lookOf(stage);
  if (operation === 'removal') await letOneGo(stage);
  if (operation === 'copy') await copyOnce(stage);
  if (operation !== 'undo') return { before: lived, target: ownArchive ?? stage.saved };
  const outcome = await within((await startOperation(stage, 'restore')).outcome());
  if (outcome !== 'completed') throw new Error(`the restore before the undo: ${outcome}`);
  return { before: await lookOf(stage), target: lived };
}

/** How lanes were when their hosts' tier C was taken. */
const archived = new WeakMap<LaneStage, LaneLook>();

/** Tier C of every lane of the host, once: from then on the proven one is preferred. @returns how the lane was then */
async function archiveAll(stage: LaneStage): Promise<LaneLook> {
  const before = archived.get(stage);
  if (before) return before;
  const { client, bed } = stage.rig.rig;
  await Promise.all(bed.lanes.map(async ({ lane }) => (await startBackup(client, { lane, tier: 'C' })).result()));
  const look = await lookOf(stage);
  archived.set(stage, look);
  return look;
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
  signals: 'watched/',
  'rpo watch': 'watched-rpo/',
  'disk full': 'incident/',
  'cross-write': 'incident/',
  'plan of a loss': 'plan-incident/',
  'host loss': 'incident/',
  gate: 'gate/',
};

/** Where a row's fault is armed: in what the operator started, in the lane's section, or in a lost host's keeper. */
function workflowOf({ lane }: LaneStage, activity: string, operation: OperationName): string {
  if (keepers.includes(activity)) return movedId('bed', lane.host);
  if (!isInParent(activity)) return sectionOf({ lane });
  return parents[operation] ?? `backup/${lane.lane}/`;
}

function armFault(stage: LaneStage, activity: string, point: Point, fault: FaultName): Armed {
  const { operation, call = 1, delayMs = 60 } = point;
  return stage.rig.faults.arm({
    activity,
    call,
    delayMs,
    workflow: workflowOf(stage, activity, operation),
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

/** What an operation ends with in which no worker dies. */
const endings: Partial<Record<OperationName, string>> = {
  'failing restore': 'failed:MessageUnanswered',
  'stuck restore': 'failed:LaneUnsettled',
};

function brokenPromises(row: Omit<Row, 'broken' | 'elapsedMs'> & { readonly asked: number }): string[] {
  const { activity, outcome, lane, operation, fault, resumedMs, asked } = row;
  if (looksOnce.includes(activity))
    return outcome.startsWith('told:') ? [] : [`that nothing was seen was not told: ${outcome}`];
  const died = fault !== 'fail';
  return [
    ...(outcome === 'completed' && restores(operation) && lane === 'as-before'
      ? ['completed, but the lane is as before']
      : []),
    ...(lane === 'restored' && !restores(operation) ? [`restored by an operation that restores nothing`] : []),
    ...(died && outcome !== (endings[operation] ?? 'completed') ? [`a worker's death ended it: ${outcome}`] : []),
    ...(fault === 'fail' && outcome === 'completed' && ![...onlyWarns, ...askedAgain].includes(activity)
      ? ['its failure was passed over']
      : []),
    ...(fault === 'fail' && askedAgain.includes(activity) && asked < 2 ? ['it was not asked again'] : []),
    ...(died && resumedMs === null ? ['the activity was not tried again'] : []),
    // history has only the last of many tries
    ...(resumedMs !== null && resumedMs > resumeMs && operation !== 'stuck restore'
      ? [`resumed only after ${resumedMs} ms`]
      : []),
  ];
}
