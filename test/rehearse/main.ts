// `npm run rehearse -- SCENARIO [--json]`: causes a disaster on a bed of its own, and watches it being recovered from.
// Needs Linux and root where a disaster needs a file system of its own. Exit status 0 when every lane answered and nothing
// else was touched.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { badUpgrade } from './bad-upgrade.ts';
import { crossWrite } from './cross-write.ts';
import { diskFull } from './disk-full.ts';
import { hostLoss } from './host-loss.ts';
import { regionLoss } from './region-loss.ts';
import { type Cause, rehearse } from './rehearsal.ts';

/** Every disaster that can be caused here. */
const causes: readonly Cause[] = [badUpgrade, diskFull, crossWrite, regionLoss, hostLoss];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } });
const cause = causes.find(({ scenario }) => scenario === positionals[0]);
if (cause === undefined || positionals.length !== 1) {
  process.stderr.write(
    `usage: npm run rehearse -- SCENARIO [--json], of ${causes.map(({ scenario }) => scenario).join(', ')}\n`,
  );
  process.exit(2);
}

const dir = mkdtempSync(join(tmpdir(), 'clawback-rehearsal-'));
const say = (line: string): void => void process.stderr.write(`${line}\n`);
try {
  const report = await rehearse(cause, { dir, say });
  if (values.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    const { scenario, subject, foundMs, rtoMs, faults } = report;
    process.stdout.write(
      `${scenario} on ${subject}: ${report.ok ? 'recovered' : 'NOT as it must be'}, found after ${foundMs} ms, answered ${rtoMs} ms after its first signal\n`,
    );
    for (const fault of faults) process.stdout.write(`  ${fault}\n`);
  }
  process.exitCode = report.ok ? 0 : 4;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
process.exit();
