// `npm run demo`: all of Clawback on one machine, on real parts. Three lanes are backed up, one is wrecked and
// restored, and what came of it is shown. It touches nothing outside its own folder, and ends all it started.

import { parseArgs } from 'node:util';
import { Failure } from '../../src/domain/failure.ts';
import { ensureTemporalCli, progressLines } from '../../src/embedded/temporal-cli.ts';
import { ensureWorkflowBundle } from '../setup/workflow-bundle.ts';
import { runDemo } from './run-demo.ts';
import { printReport } from './report.ts';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
});
/** Progress goes to stderr, so that `--json` leaves one object alone on stdout. */
const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const startedMs = Date.now();
  const demo = await runDemo({
    say,
    setUp: async () => {
      await ensureTemporalCli({ onProgress: progressLines(say) });
      await ensureWorkflowBundle();
    },
  });
  try {
    const report = { ...demo.report, elapsedMs: Date.now() - startedMs - demo.report.setupMs };
    if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else printReport(report);
    if (values.keep) await demo.keep(say);
    return report.ok ? 0 : 1;
  } finally {
    await demo.stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const message = error instanceof Failure ? `${error.code}: ${error.message}` : String(error);
  if (values.json) process.stdout.write(`${JSON.stringify({ ok: false, error: message })}\n`);
  say(`the demo failed: ${message}`);
  process.exitCode = 1;
}
