// `npm run check`: every check of the sources, two at a time; the output of those that fail, and the time of each.
// `npm run check -- lint types` runs only those. Changes nothing.

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';

const project = resolve(import.meta.dirname, '..');
const bin = (name: string): string => join(project, 'node_modules/.bin', name);

const checks: Record<string, readonly string[]> = {
  types: [bin('tsc'), '-p', '.'],
  lint: [bin('oxlint'), '--type-aware', '--deny-warnings', '--report-unused-disable-directives'],
  format: [bin('biome'), 'format', '.'],
  imports: [bin('depcruise'), '--config', '.dependency-cruiser.mjs', 'src', 'test', 'scripts'],
  dead: [bin('knip'), '--no-progress'],
  // What only tests use is dead in production.
  'dead-in-production': [bin('knip'), '--no-progress', '--production', '--include', 'files,dependencies'],
  docs: [process.execPath, 'scripts/generate-docs.ts', '--check'],
  procedure: [process.execPath, 'scripts/procedure.ts', '--check'],
};

interface Outcome {
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly output: string;
}

function run(name: string): Promise<Outcome> {
  const [program = '', ...args] = checks[name] ?? [];
  const startedAtMs = performance.now();
  // node_modules/.bin first: the checkers' own `env node` must be the pinned one.
  const env = {
    ...process.env,
    PATH: `${join(project, 'node_modules/.bin')}:${process.env['PATH']}`,
    FORCE_COLOR: '0',
  };
  return new Promise((resolveRun) => {
    let output = '';
    const child = spawn(program, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const end = (ok: boolean): void => resolveRun({ name, ok, ms: performance.now() - startedAtMs, output });
    child.on('error', (error) => {
      output += error.message;
      end(false);
    });
    child.on('close', (status) => end(status === 0));
  });
}

function report({ name, ok, ms, output }: Outcome): void {
  if (!ok) console.log(`\n${output.trimEnd()}\n`);
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${(ms / 1000).toFixed(1)} s)`);
}

async function runAll(names: readonly string[]): Promise<boolean> {
  const waiting = [...names];
  let ok = true;
  const lane = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const outcome = await run(name);
      report(outcome);
      ok &&= outcome.ok;
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, lane));
  return ok;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(checks, name));
if (unknown.length > 0) {
  console.error(`no such check: ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}`);
  process.exitCode = 2;
} else {
  process.exitCode = (await runAll(asked.length > 0 ? asked : Object.keys(checks))) ? 0 : 1;
}
