// `npm run bench`: what Clawback costs, against what operators use, in one run on this machine. `npm run bench -- memory
// --size 5g`: whether its memory grows with the archive; `-- links`: whether three lanes behind a link each take longer
// than one. Run it alone, for CPU seconds are the whole machine's; the load average stands beside each figure. `--json`
// prints one object.

import { parseArgs } from 'node:util';
import { progressLines } from '../../src/embedded/fetched-tool.ts';
import { ensureTemporalCli } from '../../src/embedded/temporal-cli.ts';
import { Failure } from '../../src/domain/failure.ts';
import { ensureWorkflowBundle } from '../setup/workflow-bundle.ts';
import { compareAll } from './comparison.ts';
import { measureLinks } from './links.ts';
import { measureMemory } from './memory.ts';
import { comparisonLines, linksLines, memoryLines } from './report.ts';
import { say } from './say.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    size: { type: 'string' },
    rounds: { type: 'string', default: '3' },
  },
});

/** Of each lane. Three lanes behind links of 20 MB/s take a minute a round, a GB each would take ten. */
const usualSizes: Readonly<Record<string, string>> = { compare: '1g', memory: '1g', links: '128m' };

const units: Readonly<Record<string, number>> = { m: 1e6, g: 1e9 };

function sizeOf(text: string): number {
  const found = /^(\d{1,4})([mg])$/.exec(text);
  const bytes = Number(found?.[1]) * (units[found?.[2] ?? ''] ?? Number.NaN);
  if (bytes > 0) return bytes;
  throw new Failure('InvalidInput', `--size ${text} is no size such as 512m or 5g`, { field: '--size' });
}

function roundsOf(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 25) return rounds;
  throw new Failure('InvalidInput', `--rounds ${text} is no number from 1 to 25`, { field: '--rounds' });
}

interface Outcome {
  readonly ok: boolean;
}

function print<T extends Outcome>(report: T, linesOf: (report: T) => string[]): boolean {
  const text = values.json ? JSON.stringify(report) : linesOf(report).join('\n');
  process.stdout.write(`${text}\n`);
  return report.ok;
}

async function main(): Promise<boolean> {
  const [what = 'compare'] = positionals;
  const bytes = sizeOf(values.size ?? usualSizes[what] ?? '1g');
  await ensureTemporalCli({ onProgress: progressLines((line) => say(line.trimEnd())) });
  await ensureWorkflowBundle();
  switch (what) {
    case 'compare':
      return print(await compareAll({ bytes, rounds: roundsOf(values.rounds) }), comparisonLines);
    case 'memory':
      return print(await measureMemory(bytes), memoryLines);
    case 'links':
      return print(await measureLinks({ bytes, rounds: roundsOf(values.rounds) }), linksLines);
    default:
      throw new Failure('InvalidInput', `no bench ${what}; there are compare, memory and links`, { field: 'bench' });
  }
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  say(error instanceof Failure ? `${error.code}: ${error.message}` : String(error));
  process.exitCode = 1;
}
process.exit();
