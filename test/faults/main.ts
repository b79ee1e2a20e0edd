// `npm run faults [-- --json] [-- --only ACTIVITY,…] [-- --power-cuts] [-- --store s3]`: every registered activity is met
// by every fault on real parts, then the power of a host goes after every single command of a restore, its way back and
// an undo. `--only` takes these activities' rows alone, `--power-cuts` the cuts alone. With `--store s3` the activities'
// rows run over versitygw (with the accounts and the policy of docs/s3.md), and in place of the power cuts, which have
// nothing to do with the store, the server itself dies, refuses, cuts and lies at each kind of request; `--only requests`
// takes these rows alone. One line a row, as JSON with --json. Exit status 1 when a row breaks a promise, cannot be made,
// or is missing.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { progressLines } from '../../src/embedded/fetched-tool.ts';
import { ensureTemporalCli } from '../../src/embedded/temporal-cli.ts';
import type { BedProfile } from '../bed/bed-types.ts';
import type { RigStoreKind } from '../rig/rig-store.ts';
import { ensureWorkflowBundle } from '../setup/workflow-bundle.ts';
import { CutRig, everyCut } from './power-cuts.ts';
import { textOfCut, textOfRow, textOfStoreRow } from './rows-text.ts';
import { type StorePoint, storePoints } from './store-rows.ts';
import { activitiesWithoutRow, registeredActivities, sweepFaults, sweepStore, type Task, tasksOf } from './sweep.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    'power-cuts': { type: 'boolean', default: false },
    store: { type: 'string', default: 'directory' },
    rigs: { type: 'string', default: '3' },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

interface Tally {
  readonly wanted: number;
  readonly rows: number;
  readonly bad: number;
}

const store: RigStoreKind = values.store === 's3' ? 's3' : 'directory';
/** Stands for the rows of an S3 server's own faults among the names of activities. */
const requestRows = 'requests';

/** Lanes of a host, all cut at once. */
const cutLanes = 8;
const profiles: readonly BedProfile[] = ['slimvps-legacy', 'openclaw-2026'];

interface Judged {
  readonly broken: readonly string[];
}

/** Counts what a sweep tells, and prints it. */
class Count implements Tally {
  readonly wanted: number;
  rows = 0;
  bad = 0;

  constructor(wanted: number) {
    this.wanted = wanted;
  }

  row<R extends Judged>(row: R, text: (row: R) => string): void {
    this.rows += 1;
    if (row.broken.length > 0) this.bad += 1;
    print(values.json ? JSON.stringify(row) : text(row));
  }

  noRow(what: string, error: unknown): void {
    this.bad += 1;
    say(`no row: ${what}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

async function metByFaults(only: readonly string[] | undefined): Promise<Tally> {
  const tasks = tasksOf(only);
  const count = new Count(tasks.length);
  await sweepFaults({
    tasks,
    rigs: Number(values.rigs),
    store,
    onRow: (row) => count.row(row, textOfRow),
    onFailure: ({ activity, fault, point }: Task, error) =>
      count.noRow(`${activity}, ${fault}, in ${point.operation}`, error),
  });
  return count;
}

async function requestsMet(): Promise<Tally> {
  const tasks = storePoints;
  const count = new Count(tasks.length);
  await sweepStore({
    tasks,
    rigs: Number(values.rigs),
    store,
    onRow: (row) => count.row(row, textOfStoreRow),
    onFailure: ({ request, fault, operation }: StorePoint, error) =>
      count.noRow(`${request}, ${fault}, in ${operation}`, error),
  });
  return count;
}

async function powerCuts(profile: BedProfile): Promise<Tally> {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-cuts-'));
  const rig = await CutRig.start(dir, [{ name: 'mac-1', lanes: cutLanes, profile }]);
  try {
    const cuts = await everyCut(rig);
    const rows = await rig.sweep(cuts, (row) => {
      const cut = { ...row, profile };
      print(values.json ? JSON.stringify({ fault: 'power cut', ...cut }) : textOfCut(cut));
    });
    return { wanted: cuts.length, rows: rows.length, bad: rows.filter(({ broken }) => broken.length > 0).length };
  } finally {
    await rig.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function chosen(): readonly string[] | undefined {
  if (!['directory', 's3'].includes(values.store)) throw new Error(`no store is of the kind ${values.store}`);
  if (store === 's3' && values['power-cuts']) throw new Error('power cuts have nothing to do with the store');
  const only = values.only?.split(',');
  const known = [...registeredActivities(), ...(store === 's3' ? [requestRows] : [])];
  const unknown = only?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`no activity is called ${unknown.join(', ')}`);
  return only;
}

/** What the arguments ask for, one after the other. */
async function runAll(): Promise<Tally[]> {
  const only = chosen();
  const tallies: Tally[] = [];
  if (!values['power-cuts'] && only?.join() !== requestRows) tallies.push(await metByFaults(only));
  if (store === 's3' && (only?.includes(requestRows) ?? true)) tallies.push(await requestsMet());
  if (store !== 's3' && only === undefined) for (const profile of profiles) tallies.push(await powerCuts(profile));
  return tallies;
}

async function main(): Promise<boolean> {
  const startedMs = Date.now();
  const missing = activitiesWithoutRow();
  if (missing.length > 0) say(`no row for ${missing.join(', ')}: add their points to test/faults/points.ts`);
  await ensureTemporalCli({ onProgress: progressLines(say) });
  await ensureWorkflowBundle();
  const tallies = await runAll();
  const sum = (of: keyof Tally): number => tallies.reduce((total, tally) => total + tally[of], 0);
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  say(
    `${sum('rows')} rows of ${sum('wanted')}, ${sum('bad')} broken, ${missing.length} activities without a row, ${seconds} s`,
  );
  const isWhole = tallies.length > 0 && tallies.every(({ rows, wanted }) => rows === wanted && rows > 0);
  return isWhole && sum('bad') === 0 && missing.length === 0;
}

process.exitCode = (await main()) ? 0 : 1;
