// The operations under fault, each started as an operator starts it.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, WorkflowHandle } from '@temporalio/client';
import {
  startBackup,
  startExpiry,
  startImport,
  startReplicate,
  startRestore,
  startRestoreFleet,
  startSweep,
  startUpgrade,
  startVerify,
} from '../../src/client/start.ts';
import { incidentId, queues, workflowNames } from '../../src/contract/names.ts';
import { bundleIdOf } from '../../src/domain/terms.ts';
import { ageTombstone, putManifest, readManifest } from '../e2e/forge.ts';
import { talk } from './bad-day.ts';
import { gateRun } from './gate-runs.ts';
import { crossWrite, diskFull } from './incidents.ts';
import { hostLoss, planOfLoss } from './losses.ts';
import type { OperationName } from './points.ts';
import { type Running, running, sectionOf, type Stage } from './stage.ts';
import { stuckRestore } from './stuck-restore.ts';
import { rpoWatch, signals, startWatch } from './watches.ts';

/** What an operation does to a lane when it succeeds. */
export function restores(operation: OperationName): boolean {
  return (
    ['restore', 'undo', 'move', 'fleet restore', 'cross-write', 'host loss'] satisfies OperationName[] as string[]
  ).includes(operation);
}

type Start = (stage: Stage) => Promise<Running>;

const byName: Readonly<Record<OperationName, Start>> = {
  backup: ({ rig, lane }) => running(rig, startBackup(rig.rig.client, { lane: lane.lane, tier: 'B' })),
  'small backup': ({ rig, lane }) => running(rig, startBackup(rig.rig.client, { lane: lane.lane, tier: 'A' })),
  'talking backup': talkingBackup,
  'second backup': secondBackup,
  restore: ({ rig, lane, bundle }) => running(rig, startRestore(rig.rig.client, { lane: lane.lane, bundle })),
  plan: ({ rig, lane, bundle }) =>
    running(rig, startRestore(rig.rig.client, { lane: lane.lane, bundle, dryRun: true })),
  'failing restore': failingRestore,
  'stuck restore': (stage) => stuckRestore(stage, failingRestore),
  sandbox: ({ rig, lane, bundle }) =>
    running(rig, startRestore(rig.rig.client, { lane: lane.lane, bundle, into: 'sandbox' })),
  import: (stage) =>
    running(stage.rig, startImport(stage.rig.rig.client, { lane: stage.lane.lane, archive: archiveOf(stage) })),
  'sandbox of an archive': (stage) =>
    running(
      stage.rig,
      startRestore(stage.rig.rig.client, { lane: stage.lane.lane, archive: archiveOf(stage), into: 'sandbox' }),
    ),
  move,
  undo: ({ rig, lane }) => running(rig, startRestore(rig.rig.client, { lane: lane.lane, undo: true })),
  sweep: ({ rig, lane }) => running(rig, startSweep(rig.rig.client, { lane: lane.lane, minAgeMs: 0 })),
  'fleet restore': (stage) => fleetRestore(stage, false),
  'fleet plan': (stage) => fleetRestore(stage, true),
  expire: expireAfterTwo,
  removal: ({ rig, lane }) => running(rig, startExpiry(rig.rig.client, { lane: lane.lane })),
  copy: ({ rig, lane, bundle }) => running(rig, startReplicate(rig.rig.client, { lane: lane.lane, bundle })),
  'copy all': ({ rig, lane }) =>
    running(
      rig,
      startReplicate(rig.rig.client, { lane: lane.lane }),
      ({ failed: [one] }) => one && `failed:${one.code}`,
    ),
  verify: ({ rig, lane }) =>
    running(
      rig,
      startVerify(rig.rig.client, { lane: lane.lane }),
      ({ faults: [one] }) => one && `found:${one.object} ${one.what}`,
    ),
  watch: ({ rig }) => running(rig, startWatch(rig.rig.client)),
  upgrade: ({ rig, lane }) => running(rig, startUpgrade(rig.rig.client, { lane: lane.lane })),
  'plan recovery': ({ rig, lane }) => running(rig, planRecovery(rig.rig.client, lane.lane)),
  signals,
  'rpo watch': rpoWatch,
  'disk full': diskFull,
  'cross-write': crossWrite,
  'plan of a loss': planOfLoss,
  'host loss': hostLoss,
  gate: gateRun,
};

export function startOperation(stage: Stage, operation: OperationName): Promise<Running> {
  return byName[operation](stage);
}

/** What the old script for one lane would have made of it now. @returns its name in the folder of archives */
function archiveOf({ rig, lane }: Stage): string {
  const name = `${lane.lane.replace('-', '')}-20250301.tar.gz`;
  mkdirSync(join(rig.rig.dir, 'archives'), { recursive: true });
  execFileSync('bsdtar', ['-czf', join(rig.rig.dir, 'archives', name), '-C', lane.realHome, '.openclaw', 'workspace']);
  return name;
}

/** The lane's bundle, as if another host had made it. */
async function move({ rig, lane, bundle }: Stage): Promise<Running> {
  const manifest = readManifest(rig.rig, lane.lane, bundle);
  const id = bundleIdOf(Date.now(), crypto.randomUUID());
  const moved = { ...manifest, bundle: id, host: { ...manifest.host, name: 'mac-0' } };
  await putManifest(rig.rig, moved);
  return running(rig, startRestore(rig.rig.client, { lane: lane.lane, bundle: moved.bundle }));
}

/** A run over many lanes is completed whatever became of them: their rows say it. */
function fleetRestore({ rig, lane: { lane }, bundle }: Stage, dryRun: boolean): Promise<Running> {
  const started = startRestoreFleet(rig.rig.client, { lanes: [lane], bundles: { [lane]: bundle }, dryRun });
  const wanted = dryRun ? 'planned' : 'restored';
  return running(rig, started, ({ lanes: [row] }) => (row?.after === wanted ? undefined : `failed:${row?.code}`));
}

function planRecovery(client: Client, lane: string): Promise<WorkflowHandle> {
  return client.workflow.start(workflowNames.recoverBadUpgrade, {
    taskQueue: queues.host,
    workflowId: incidentId('bed', 'bad-upgrade', lane),
    args: [{ lane, dryRun: true }],
    workflowTaskTimeout: '5s',
  });
}

/** Of two tiers A of one day the first expires. */
async function expireAfterTwo({ rig, lane: { lane } }: Stage): Promise<Running> {
  for (const tier of ['A', 'A'] as const) await (await startBackup(rig.rig.client, { lane, tier })).result();
  return running(rig, startExpiry(rig.rig.client, { lane }));
}

/** Gives bundles up, and lets the grace of a week pass over one of them: the next expiry removes it. */
export async function letOneGo(stage: Stage): Promise<void> {
  const outcome = await (await expireAfterTwo(stage)).outcome();
  if (outcome !== 'completed') throw new Error(`the expiry before the removal: ${outcome}`);
  const { rig, lane, bundle } = stage;
  const namesIn = (folder: string): string[] => readdirSync(join(rig.rig.storePath, lane.lane, folder)).toSorted();
  // a tombstone outlives its bundle; and the stage's own bundle other rows restore
  const there = new Set(namesIn('manifests'));
  const given = namesIn('tombstones').filter((name) => there.has(name));
  const [oldest] = given.map((name) => name.replace('.json', '')).filter((one) => one !== bundle);
  if (oldest === undefined) throw new Error(`no bundle of ${lane.lane} was given up`);
  await ageTombstone(rig.rig, lane.lane, oldest, 8);
}

/** So that the replica has the bundle: what one has already is read again, what only another of its bundles names is not. */
export async function copyOnce({ rig, lane, bundle }: Stage): Promise<void> {
  await (await startReplicate(rig.rig.client, { lane: lane.lane, bundle })).result();
}

/** The gateway answers no message, so that the restore goes back. */
function failingRestore(stage: Stage): Promise<Running> {
  stage.rig.faults.arm({
    activity: 'smokeTest',
    call: 1,
    workflow: sectionOf(stage),
    when: 'after',
    action: 'fail',
    code: 'MessageUnanswered',
  });
  return startOperation(stage, 'restore');
}

/** Somebody goes on talking once the plan is made. */
async function talkingBackup({ rig, lane }: Stage): Promise<Running> {
  const gate = rig.faults.arm({
    activity: 'backupSegment',
    call: 1,
    workflow: sectionOf({ lane }),
    when: 'before',
    action: 'pause',
  });
  const started = await running(rig, startBackup(rig.rig.client, { lane: lane.lane, tier: 'B' }));
  await gate.happens();
  talk(lane);
  gate.release();
  return started;
}

/** The lane is held by a backup while another one asks for it. */
async function secondBackup({ rig, lane }: Stage): Promise<Running> {
  const gate = rig.faults.arm({
    activity: 'surveyLane',
    call: 1,
    workflow: sectionOf({ lane }),
    when: 'before',
    action: 'pause',
  });
  const first = await running(rig, startBackup(rig.rig.client, { lane: lane.lane, tier: 'A' }));
  await gate.happens();
  const second = await running(rig, startBackup(rig.rig.client, { lane: lane.lane, tier: 'A' }));
  const outcome = async (): Promise<string> => {
    const seconds = second.outcome();
    await Promise.race([seconds, new Promise((resolve) => setTimeout(resolve, 3_000))]);
    gate.release();
    const [outcomeOfSecond, outcomeOfFirst] = await Promise.all([seconds, first.outcome()]);
    return outcomeOfFirst === 'completed' ? outcomeOfSecond : `first ${outcomeOfFirst}`;
  };
  return { workflowId: second.workflowId, outcome };
}
