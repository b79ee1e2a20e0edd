// `npm run demo [-- --short --keep --json]`: all of Clawback on one machine, on real parts, and what came of it is shown.
// `--short`: backup and restore alone. It touches nothing outside its own folder, and ends all it started.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure } from '../../src/domain/failure.ts';
import { progressLines } from '../../src/embedded/fetched-tool.ts';
import { ensureTemporalCli } from '../../src/embedded/temporal-cli.ts';
import { ensureWorkflowBundle } from '../setup/workflow-bundle.ts';
import { CleanUp } from './clean-up.ts';
import { printReport } from './report.ts';
import { demoBedKind, runDemo } from './run-demo.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    dir: { type: 'string', default: resolve(import.meta.dirname, '../../.cache/demo') },
    bed: { type: 'string' },
    short: { type: 'boolean', default: false },
    megabytes: { type: 'string', default: '300' },
  },
});

/** Progress goes to stderr, so that `--json` leaves one object alone on stdout. */
const say = (line: string): void => void process.stderr.write(`${line.trimEnd()}\n`);

async function main(cleanUp: CleanUp): Promise<boolean> {
  const startedMs = Date.now();
  const { report, keepUp } = await runDemo({
    say,
    cleanUp,
    dir: resolve(values.dir),
    kind: demoBedKind(values.bed),
    bytes: bytesOf(values.megabytes),
    short: values.short,
    setUp: async () => {
      await ensureTemporalCli({ onProgress: progressLines(say) });
      await ensureWorkflowBundle();
    },
  });
  const { ok, setupMs, ...rest } = report;
  const whole = { ok, elapsedMs: Date.now() - startedMs - setupMs, setupMs, ...rest };
  if (values.json) process.stdout.write(`${JSON.stringify(whole)}\n`);
  else printReport(whole);
  if (values.keep) await untilStopped(keepUp);
  return ok;
}

function bytesOf(megabytes: string): number {
  const count = Number(megabytes);
  if (Number.isInteger(count) && count >= 3 && count <= 10_000) return count * 1e6;
  throw new Failure('InvalidInput', `--megabytes ${megabytes} is no number between 3 and 10000`, {
    field: '--megabytes',
  });
}

/** Ctrl-C, which otherwise ends the demo where it is, ends it as a success once all was shown. */
async function untilStopped(hints: readonly string[]): Promise<void> {
  for (const signal of signals) process.removeAllListeners(signal);
  const stopped = new Promise<void>((done) => signals.forEach((signal) => process.once(signal, () => done())));
  // keeps the process alive, which a waiting promise does not
  const alive = setInterval(() => undefined, 60_000);
  for (const line of hints) say(line);
  await stopped;
  clearInterval(alive);
  say('ending …');
}

const signals = ['SIGINT', 'SIGTERM'] as const;
const interrupted = 130;

function endOnSignals(cleanUp: CleanUp): void {
  const end = async (): Promise<never> => {
    say('interrupted: ending what was started …');
    await cleanUp.run().catch((error: unknown) => say(String(error)));
    process.exit(interrupted);
  };
  for (const signal of signals) process.once(signal, () => void end());
}

async function guarded(): Promise<number> {
  const cleanUp = new CleanUp();
  endOnSignals(cleanUp);
  try {
    return (await main(cleanUp)) ? 0 : 1;
  } catch (error) {
    const message = error instanceof Failure ? `${error.code}: ${error.message}` : String(error);
    if (values.json) process.stdout.write(`${JSON.stringify({ ok: false, error: message })}\n`);
    say(`the demo failed: ${message}`);
    return 1;
  } finally {
    await cleanUp.run();
  }
}

process.exitCode = await guarded();
