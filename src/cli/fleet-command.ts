// What `backup` and `restore` do with more than one lane: which lanes are meant, one run over them, one table in the end.

import type { Temporal } from '../client/connection.ts';
import { readFleetProgress } from '../client/fleet-progress.ts';
import { cancelRun, type Run } from '../client/run.ts';
import { startBackupFleet, startRestoreFleet } from '../client/start.ts';
import { readWorkShares } from '../client/work-shares.ts';
import type { FleetFile } from '../config/fleet-file.ts';
import type { FleetResult } from '../contract/fleet-run.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import type { Component, Tier } from '../domain/terms.ts';
import { askYesNo } from './ask.ts';
import type { Cli, Outcome } from './cli.ts';
import { fleetExit, fleetPlanText, fleetText, nextOf } from './fleet-text.ts';
import { followFleet, sayHowToFollow, warnOfMissingWorkers } from './follow.ts';
import { plural } from './format.ts';

export interface FleetFlags {
  readonly all?: true;
  readonly host?: string;
}

/** A lane of its own goes its own way; anything else is a run over many. */
export type Meant = { readonly lane: string } | { readonly lanes: readonly string[]; readonly choice: FleetChoice };

interface FleetChoice {
  readonly all?: boolean;
  readonly host?: string;
  readonly lanes?: readonly string[];
}

/** InvalidInput for no choice, or more than one. */
export function requireOneChoice(names: readonly string[], { all, host }: FleetFlags): void {
  const given = [names.length > 0, all === true, host !== undefined].filter(Boolean).length;
  if (given !== 1)
    throw new Failure('InvalidInput', 'name one lane or several, or give --all, or --host: one of the three', {
      field: 'LANE',
    });
  if (new Set(names).size === names.length) return;
  throw new Failure('InvalidInput', 'a lane is named twice', { field: 'LANE' });
}

/** UnknownLane. */
export function meantLanes({ fleet }: FleetFile, names: readonly string[], { host }: FleetFlags): Meant {
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return { lane: only };
  const lanes = Object.keys(fleet.lanes);
  if (names.length > 0) return { lanes: named(fleet.fleet, names, lanes), choice: { lanes: [...names] } };
  const chosen = host === undefined ? lanes : lanes.filter((lane) => fleet.lanes[lane]?.host === host);
  if (chosen.length > 0) return { lanes: chosen, choice: host === undefined ? { all: true } : { host } };
  const what = host === undefined ? 'no lanes' : `no lane on a host ${host.slice(0, 80)}`;
  const hosts = Object.keys(fleet.hosts).join(', ') || 'none';
  throw new Failure('UnknownLane', `fleet ${fleet.fleet} has ${what} (hosts: ${hosts})`, { fleet: fleet.fleet });
}

function named(fleet: string, names: readonly string[], lanes: readonly string[]): readonly string[] {
  const unknown = names.filter((name) => !lanes.includes(name));
  if (unknown.length === 0) return names;
  throw new Failure(
    'UnknownLane',
    `fleet ${fleet} has no lane ${unknown.join(', ').slice(0, 200)} (lanes: ${lanes.join(', ') || 'none'})`,
    { fleet },
  );
}

export const fleetFields = [
  'for more than one lane: `workflowId`, `kind`, `fleet`, `fleetDigest`, `startedAt`',
  "`wallMs`: the whole run; `sequenceMs`: the sum of the lanes' own times, the most that one after the other would take; of live restores `rtoMs` (to the last answered message; null unless all answered) and `rtoBudgetMs`",
  '`counts`: `ok`, `attention`, `failed`, `cancelled`; `caps`: `lanesAtOnce`, `streamsAtOnce`, `streamsPerHost`',
  '`lanes`: a list of `lane`, `host`, `outcome` (of `counts`), `after` (what it is now), `workflowId`, `bundle`, `sizeBytes`, `waitedMs`, `elapsedMs`, `rtoMs`, `remarks`, `code`, `message`, `next`; of a dry run `plan`',
  '`volumes`: a list of `host`, `volume`, `lanes`, `freeBytes`, `neededBytes`: measured before a restore',
  '`work`: `activitiesByWorker` (by worker and activity), `scheduled`, `completed`, `retried`; null when Temporal did not tell',
] as const;

export const fleetExitNote =
  'With more than one lane: 9 when some came through and some did not; when none did, what their failures agree on, else 4. A lane that fails stops no other.';

interface FleetRequest {
  readonly cli: Cli;
  readonly temporal: Temporal;
  readonly file: FleetFile;
  readonly lanes: readonly string[];
  readonly choice: FleetChoice;
}

export async function backUpFleet(request: FleetRequest, tier: Tier): Promise<Outcome> {
  const { cli, temporal, lanes, choice } = request;
  await warnOfMissingWorkers(cli, temporal, 'backup');
  const run = await startBackupFleet(temporal.client, { ...mutable(choice), tier });
  sayHowToFollow(cli, run.workflowId);
  return fleetOutcome(temporal, run.workflowId, await followed(request, run, `backup ${lanes.length} lanes`));
}

function mutable({ lanes, ...choice }: FleetChoice) {
  return { ...choice, ...(lanes && { lanes: [...lanes] }) };
}

function followed({ cli, temporal, file }: FleetRequest, run: Run<FleetResult>, title: string): Promise<FleetResult> {
  return followFleet(cli, temporal, { run, fleet: file.fleet.fleet, title });
}

export interface FleetRestore {
  readonly at?: string | undefined;
  readonly only?: Component | undefined;
  readonly layered: boolean;
  readonly acceptVersion: boolean;
  readonly into: 'live' | 'sandbox';
}

/** @param how `plan`: nothing else; `ask`: plan, show, ask once, restore what was shown; `go`: restore */
export async function restoreFleet(
  request: FleetRequest,
  options: FleetRestore,
  how: 'plan' | 'ask' | 'go',
): Promise<Outcome> {
  const { cli, temporal } = request;
  await warnOfMissingWorkers(cli, temporal, 'restore');
  if (how === 'go') return runRestore(request, { ...mutable(request.choice), ...options });
  const { workflowId, plan } = await makePlan(request, options);
  const text = planText(request, plan);
  if (how === 'plan' || plan.counts.ok === 0)
    return { ...(await fleetOutcome(temporal, workflowId, plan)), text: `${text}\n\nNothing was changed.` };
  cli.note(`\n${text}\n`);
  cli.note('Each gateway stops for its swap. Until its commit every failure leads a lane back to what is there now;');
  cli.note('after it, `./clawback restore LANE --undo` does, for 7 days.');
  const { planned, left } = partedBy(plan);
  if (left.length > 0) cli.note(`Not restored, and left as it is: ${left.join(', ')}.`);
  const of = `${planned.length} of ${plural(plan.lanes.length, 'lane')}`;
  if (!(await askYesNo(cli, `Restore ${of} now?`)))
    throw new Failure('Cancelled', 'the restore of the lanes was not started');
  const lanes = planned.map(({ lane }) => lane);
  const bundles = Object.fromEntries(planned.map(({ lane, bundle }) => [lane, bundle]));
  return withLeft(await runRestore(request, { ...options, at: undefined, lanes, bundles }), left);
}

/** What was shown with a bundle is restored from that one. A lane without is not: its bundle would be one nobody saw. */
function partedBy({ lanes }: FleetResult) {
  return {
    planned: lanes.flatMap(({ lane, plan }) => (plan ? [{ lane, bundle: plan.bundle }] : [])),
    left: lanes.flatMap(({ lane, plan }) => (plan ? [] : [lane])),
  };
}

/** Some lanes that were asked for are not restored: `partial` at best. */
export function withLeft(outcome: Outcome, left: readonly string[]): Outcome {
  if (left.length === 0) return outcome;
  const { exit = 'ok', text } = outcome;
  const isThrough = exit === 'ok' || exit === 'attention' || exit === 'budget';
  return { ...outcome, text: `${text}\nleft as it is: ${left.join(', ')}`, exit: isThrough ? 'partial' : exit };
}

function planText({ file, lanes }: FleetRequest, plan: FleetResult): string {
  const specs = new Map(lanes.map((lane) => [lane, file.laneSpec(lane)]));
  const rtoMs = Math.max(...[...specs.values()].map(({ budgets }) => budgets.rtoMs));
  return fleetPlanText(plan, (lane) => specs.get(lane)?.rpoMs ?? 0, rtoMs);
}

/** The plan by a run of its own, which changes nothing; Ctrl-C gives it up. */
async function makePlan(
  request: FleetRequest,
  options: FleetRestore,
): Promise<{ readonly workflowId: string; readonly plan: FleetResult }> {
  const { temporal, choice, lanes } = request;
  const run = await startRestoreFleet(temporal.client, { ...mutable(choice), ...options, dryRun: true });
  try {
    return { workflowId: run.workflowId, plan: await followed(request, run, `plan of restore ${lanes.length} lanes`) };
  } catch (error) {
    if (!isFailure(error, 'Detached')) throw error;
    await cancelRun(temporal.client, run.workflowId);
    throw new Failure('Cancelled', 'the restore of the lanes was not started');
  }
}

async function runRestore(request: FleetRequest, input: Parameters<typeof startRestoreFleet>[1]): Promise<Outcome> {
  const { cli, temporal, lanes } = request;
  const run = await startRestoreFleet(temporal.client, input);
  sayHowToFollow(cli, run.workflowId);
  return fleetOutcome(temporal, run.workflowId, await followed(request, run, `restore ${lanes.length} lanes`));
}

export async function fleetOutcome(temporal: Temporal, workflowId: string, result: FleetResult): Promise<Outcome> {
  const work = await readWorkShares(temporal.client, workflowId).catch(() => null);
  const lanes = result.lanes.map((row) => ({ ...row, next: nextOf(result, row) }));
  const workers = Object.entries(work?.activitiesByWorker ?? {});
  const shares = workers.map(([name, byType]) => `${name} ${Object.values(byType).reduce((sum, one) => sum + one, 0)}`);
  return {
    json: { workflowId, ...result, lanes, work },
    text: [fleetText(result), ...(shares.length > 0 ? [`steps by worker: ${shares.join(', ')}`] : [])].join('\n'),
    exit: fleetExit(result),
  };
}

/** The types of runs over many lanes, which are API (contract/names.ts). */
export function isFleetRun({ type }: { readonly type: string }): boolean {
  return type === 'backupFleet' || type === 'restoreFleet';
}

/** The lanes of a run, as far as it had come to know them. */
export async function lanesOfRun(temporal: Temporal, workflowId: string): Promise<readonly string[]> {
  return (await readFleetProgress(temporal.client, workflowId))?.lanes.map(({ lane }) => lane) ?? [];
}
