// `npm run procedure [-- --json | --run | --check]`: each row of the procedure's tables (docs/procedure.md) with the tests
// that show it and their last results. `--run` runs those tests first. Exit status 0 only when every row's tests passed.
// `--check`, of `npm run check`, asks for less, for it runs before the tests: that each row names tests that are there, and
// that none is known to have failed.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readResults, type TestVerdict, verdictOf } from './procedure/results.ts';
import { type ProcedureRow, procedureRows, separator } from './procedure/rows.ts';

const project = resolve(import.meta.dirname, '..');
const page = 'docs/procedure.md';

interface JudgedTest {
  readonly test: string;
  readonly result: TestVerdict;
}

interface JudgedRow {
  readonly table: string;
  readonly row: string;
  readonly tests: readonly JudgedTest[];
  readonly ok: boolean;
}

const good: Readonly<Record<'check' | 'results', readonly TestVerdict[]>> = {
  check: ['passed', 'unknown'],
  results: ['passed'],
};

function judge(rows: readonly ProcedureRow[], accepted: readonly TestVerdict[]): JudgedRow[] {
  const results = readResults(project);
  return rows.map(({ table, cells, tests }) => {
    const judged = tests.map((test) => ({
      test: `${test.file}${separator}${test.title}`,
      result: verdictOf(project, results, test),
    }));
    const ok = judged.length > 0 && judged.every(({ result }) => accepted.includes(result));
    return { table, row: cells.join(' | '), tests: judged, ok };
  });
}

function runTests(rows: readonly ProcedureRow[]): void {
  const files = [...new Set(rows.flatMap(({ tests }) => tests.map(({ file }) => file)))];
  // Its lines go to stderr: stdout holds this command's own answer.
  spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files], {
    cwd: project,
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
  });
}

function text({ table, row, tests, ok }: JudgedRow): string {
  const lines = tests.map(({ test, result }) => `    ${result.padEnd(7)} ${test}`);
  return [`${ok ? 'ok    ' : 'FAILED'} ${table}: ${row}`, ...(lines.length > 0 ? lines : ['    no test'])].join('\n');
}

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, run: { type: 'boolean' }, check: { type: 'boolean' } },
});
const rows = procedureRows(readFileSync(join(project, page), 'utf8'));
if (values.run === true) runTests(rows);
const judged = judge(rows, values.check === true ? good.check : good.results);
const failed = judged.filter(({ ok }) => !ok);
if (values.json === true)
  console.log(JSON.stringify({ ok: failed.length === 0 && rows.length > 0, rows: judged }, null, 2));
else {
  for (const row of values.check === true ? failed : judged) console.log(text(row));
  console.log(
    `${judged.length - failed.length} of ${judged.length} rows of ${page} ${values.check === true ? 'name their tests' : 'are shown by a passing test'}`,
  );
}
process.exitCode = failed.length === 0 && rows.length > 0 ? 0 : 1;
