// `npm run faults [-- --json] [-- --only ACTIVITY]`: every registered activity is met by every fault on real parts.
// One line a row, as JSON with --json. Exit status 1 when a row breaks a promise, cannot be made, or is missing.

import { parseArgs } from 'node:util';
import { progressLines } from '../../src/embedded/fetched-tool.ts';
import { ensureTemporalCli } from '../../src/embedded/temporal-cli.ts';
import { ensureWorkflowBundle } from '../setup/workflow-bundle.ts';
import type { Row } from './run-row.ts';
import { activitiesWithoutRow, sweepFaults, type Task, tasksOf } from './sweep.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    rigs: { type: 'string', default: '3' },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);

function print(row: Row): void {
  if (values.json) process.stdout.write(`${JSON.stringify(row)}\n`);
  else process.stdout.write(`${textOf(row)}\n`);
}

function textOf({
  activity,
  fault,
  operation,
  profile,
  outcome,
  lane,
  gatewayUp,
  resumedMs,
  elapsedMs,
  ...row
}: Row): string {
  const resumed = resumedMs === null ? '' : `resumed ${(resumedMs / 1000).toFixed(1)} s`;
  const counts = `resent ${row.resentSegments}  overwritten ${row.overwritten}  left ${row.leftovers}`;
  const line = [
    row.broken.length === 0 ? 'ok    ' : 'BROKEN',
    activity.padEnd(16),
    fault.padEnd(11),
    operation.padEnd(15),
    profile.padEnd(14),
    outcome.padEnd(24),
    lane.padEnd(9),
    gatewayUp ? 'up  ' : 'DOWN',
    counts,
    `${(elapsedMs / 1000).toFixed(1)} s`,
    resumed,
  ];
  return [line.join('  '), ...row.broken.map((why) => `       ${why}`)].join('\n');
}

async function main(): Promise<boolean> {
  const startedMs = Date.now();
  const missing = activitiesWithoutRow();
  if (missing.length > 0) say(`no row for ${missing.join(', ')}: add their points to test/faults/points.ts`);
  await ensureTemporalCli({ onProgress: progressLines(say) });
  await ensureWorkflowBundle();
  const tasks = tasksOf(values.only);
  let rows = 0;
  let bad = 0;
  await sweepFaults({
    tasks,
    rigs: Number(values.rigs),
    onRow: (row) => {
      rows += 1;
      if (row.broken.length > 0) bad += 1;
      print(row);
    },
    onFailure: ({ activity, fault, point }: Task, error) => {
      bad += 1;
      say(
        `no row: ${activity}, ${fault}, in ${point.operation}: ${error instanceof Error ? error.stack : String(error)}`,
      );
    },
  });
  say(
    `${rows} rows of ${tasks.length}, ${bad} broken, ${missing.length} activities without a row, ${Math.round((Date.now() - startedMs) / 1000)} s`,
  );
  return bad === 0 && missing.length === 0 && rows === tasks.length && rows > 0;
}

process.exitCode = (await main()) ? 0 : 1;
