// `npm run faults [-- --json] [-- --only ACTIVITY,…] [-- --power-cuts]`: every registered activity is met by every fault
// on real parts, then the power of a host goes after every single command of a restore, its way back and an undo.
// `--only` takes these activities' rows alone, `--power-cuts` the cuts alone. One line a row, as JSON with --json.
// Exit status 1 when a row breaks a promise, cannot be made, or is missing.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { progressLines } from '../../src/embedded/fetched-tool.ts';
import { ensureTemporalCli } from '../../src/embedded/temporal-cli.ts';
import type { BedProfile } from '../bed/bed-types.ts';
import { ensureWorkflowBundle } from '../setup/workflow-bundle.ts';
import { CutRig, everyCut } from './power-cuts.ts';
import { textOfCut, textOfRow } from './rows-text.ts';
import { activitiesWithoutRow, registeredActivities, sweepFaults, type Task, tasksOf } from './sweep.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    'power-cuts': { type: 'boolean', default: false },
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

/** Lanes of a host, all cut at once. */
const cutLanes = 8;
const profiles: readonly BedProfile[] = ['slimvps-legacy', 'openclaw-2026'];

async function metByFaults(only: readonly string[] | undefined): Promise<Tally> {
  await ensureTemporalCli({ onProgress: progressLines(say) });
  await ensureWorkflowBundle();
  const tasks = tasksOf(only);
  let rows = 0;
  let bad = 0;
  await sweepFaults({
    tasks,
    rigs: Number(values.rigs),
    onRow: (row) => {
      rows += 1;
      if (row.broken.length > 0) bad += 1;
      print(values.json ? JSON.stringify(row) : textOfRow(row));
    },
    onFailure: ({ activity, fault, point }: Task, error) => {
      bad += 1;
      const why = error instanceof Error ? error.stack : String(error);
      say(`no row: ${activity}, ${fault}, in ${point.operation}: ${why}`);
    },
  });
  return { wanted: tasks.length, rows, bad };
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
  const only = values.only?.split(',');
  const unknown = only?.filter((name) => !registeredActivities().includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`no activity is called ${unknown.join(', ')}`);
  return only;
}

async function main(): Promise<boolean> {
  const startedMs = Date.now();
  const missing = activitiesWithoutRow();
  if (missing.length > 0) say(`no row for ${missing.join(', ')}: add their points to test/faults/points.ts`);
  const only = chosen();
  const tallies: Tally[] = [];
  if (!values['power-cuts']) tallies.push(await metByFaults(only));
  if (only === undefined) for (const profile of profiles) tallies.push(await powerCuts(profile));
  const sum = (of: keyof Tally): number => tallies.reduce((total, tally) => total + tally[of], 0);
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  say(
    `${sum('rows')} rows of ${sum('wanted')}, ${sum('bad')} broken, ${missing.length} activities without a row, ${seconds} s`,
  );
  const isWhole = tallies.length > 0 && tallies.every(({ rows, wanted }) => rows === wanted && rows > 0);
  return isWhole && sum('bad') === 0 && missing.length === 0;
}

process.exitCode = (await main()) ? 0 : 1;
