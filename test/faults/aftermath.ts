// What is left of a lane, its gateway and its store once an operation has met a fault: the facts that the promises are
// about. Looks first, then sweeps, then counts what even the sweep left.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSweep } from '../../src/client/start.ts';
import { answersWithin } from './bad-day.ts';
import { activitiesOf, type ActivityRun, resentSegments } from './history.ts';
import { laneLeftovers, type LaneLook, lookAt, lookDifferences, withoutOwners } from './lane-look.ts';
import type { Running, Stage } from './stage.ts';
import { missingObjects, type StoreWatch, unnamedObjects } from './store-watch.ts';

export interface Looks {
  readonly before: LaneLook;
  /** What the operation makes of the lane when it succeeds. */
  readonly target: LaneLook;
  /** False: whose the files are is not compared. */
  readonly owners?: false;
}

export interface Aftermath {
  readonly lane: 'restored' | 'as-before' | 'mixed';
  readonly gatewayUp: boolean;
  readonly resentSegments: number;
  readonly overwritten: number;
  readonly leftovers: number;
  /** What broke a promise, a line each. */
  readonly broken: readonly string[];
  readonly runs: readonly ActivityRun[];
}

/** A gateway may be down for so long. */
const gatewayMs = 60_000;
/** What an operation could not put right is put right by the watch. */
const settleMs = 60_000;
const sweepMs = 60_000;

export interface Seen {
  /** It has ended. */
  readonly running: Running;
  readonly looks: Looks;
  readonly store: StoreWatch;
  /** It went back by a restore, which keeps what it replaced. */
  readonly wentBack?: boolean;
}

export async function aftermath(before: Stage, { running, looks, store, wentBack = false }: Seen): Promise<Aftermath> {
  const { rig } = before;
  const lane = running.lane?.() ?? before.lane;
  const stage = { ...before, rig, lane };
  const { bed, storePath, client } = rig.rig;
  const runs = await activitiesOf(client, running.workflowId, running.runId);
  const resent = resentSegments(runs, store.newSegments(lane.lane));
  const gatewayUp = await answersWithin(lane, gatewayMs);
  const settled = await settlesWithin(lane, settleMs);
  const { state, broken } = await stateOf(stage, lane.host === before.lane.host ? looks : ownerless(looks));
  const own = (await running.broken?.()) ?? [];
  const swept = await sweepEnds(stage);
  store.stop();
  const asBefore = state === 'as-before';
  const gone = [storePath, rig.replicaPath].flatMap((root) => missingObjects(root, lane.lane));
  const left = [
    ...unnamedObjects(storePath, lane.lane),
    ...laneLeftovers(bed, lane, { asBefore: asBefore && !wentBack, before: looks.before }),
  ];
  const promises = [
    ...(gatewayUp ? [] : ['the gateway does not answer after a minute']),
    ...(settled ? [] : ['a journal still lies on the lane after a minute']),
    ...(resent > 0 ? [`${resent} finished segments were sent again`] : []),
    ...(store.overwritten > 0 ? [`${store.overwritten} objects were overwritten`] : []),
    ...(swept === 'completed' ? [] : [`the sweep ${swept}`]),
    ...gone.slice(0, 10).map((name) => `named by a manifest, and gone: ${name}`),
    ...left.slice(0, 10).map((name) => `left: ${name}`),
  ];
  return {
    lane: state,
    gatewayUp,
    resentSegments: resent,
    overwritten: store.overwritten,
    leftovers: left.length,
    broken: [...broken, ...own, ...promises],
    runs,
  };
}

/** Accounts have other numbers on another host. */
function ownerless({ before, target }: Looks): Looks & { readonly owners: false } {
  return { before: withoutOwners(before), target: withoutOwners(target), owners: false };
}

async function settlesWithin({ realHome }: Stage['lane'], withinMs: number): Promise<boolean> {
  const untilMs = Date.now() + withinMs;
  while (existsSync(join(realHome, '.clawback/journal/journal.json'))) {
    if (Date.now() > untilMs) return false;
    await sleep(200);
  }
  return true;
}

async function stateOf({ rig, lane }: Stage, looks: Looks): Promise<{ state: Aftermath['lane']; broken: string[] }> {
  const seen = await lookAt(rig.rig.bed, lane);
  const now = looks.owners === false ? withoutOwners(seen) : seen;
  const fromBefore = lookDifferences(looks.before, now);
  if (fromBefore.length === 0) return { state: 'as-before', broken: [] };
  const fromTarget = lookDifferences(looks.target, now);
  if (fromTarget.length === 0) return { state: 'restored', broken: [] };
  const shown = (lines: readonly string[]): string => lines.slice(0, 5).join('; ');
  return {
    state: 'mixed',
    broken: [`mixed; not restored: ${shown(fromTarget)}; not as before: ${shown(fromBefore)}`],
  };
}

async function sweepEnds({ rig, lane }: Stage): Promise<string> {
  const sweep = await startSweep(rig.rig.client, { lane: lane.lane, minAgeMs: 0 });
  const ended = sweep.result().then(
    () => 'completed',
    (error: unknown) => `failed: ${String(error)}`,
  );
  return Promise.race([ended, sleep(sweepMs, 'has not ended', { ref: false })]);
}
