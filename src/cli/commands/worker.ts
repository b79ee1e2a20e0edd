// `worker`: spawns src/worker.ts on this Node, once or several times, and never imports it. Signals are forwarded, and no
// worker outlives us; the exit status is theirs.

import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { queueRoles } from '../../client/workers.ts';
import { exitStatus, Failure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { createLog } from '../../telemetry/log.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { parseCount, parseList } from '../parse.ts';
import { runFamily } from '../process-family.ts';

interface Options {
  readonly queues?: readonly string[];
  readonly streams?: number;
  readonly processes?: number;
}

/** One stream keeps one core busy; no machine of an operator has more. */
const mostStreams = 64;

export function workerCommand(cli: Cli): Command {
  const command = new Command('worker')
    .description('run a worker in the foreground, until a signal ends it')
    .option(
      '--queues <LIST>',
      `what it works on: ${queueRoles.join(', ')} (default: all)`,
      parseList('--queues', queueRoles),
    )
    .option(
      '--streams <N>',
      'backup and restore streams at the same time, of all processes together (default: one for each core)',
      parseCount('--streams', mostStreams),
    )
    .option(
      '--processes <N>',
      'so many worker processes, each started again when it dies (default: one, which is not)',
      parseCount('--processes', limits.workerProcesses),
    )
    .action(cli.action((options: Options) => work(cli, options)));
  return documented(command, {
    examples: [
      './clawback worker',
      './clawback worker --queues host,data --streams 4',
      './clawback worker --processes 2 --streams 4',
    ],
    json: ['`exitStatus`: of the worker, when it has ended; of several, of the first that did not end well'],
    notes: [
      'Its log is on stderr, a JSON object a line. TEMPORAL_ADDRESS and the other variables and profiles of Temporal name the service. No worker process outlives this command, however it ends.',
    ],
  });
}

async function work(cli: Cli, options: Options): Promise<Outcome> {
  const count = options.processes ?? 1;
  const streams = options.streams ?? cpus().length;
  requireStreams(options, count, streams);
  const fleet = await cli.loadFleet();
  // what would end the worker at once is told here, as every other failure is
  await cli.withTemporal(async () => undefined);
  const common = ['--fleet', fleet.path, ...(options.queues ? ['--queues', options.queues.join(',')] : [])];
  const status =
    options.processes === undefined
      ? await runWorkers(cli, [[...common, '--streams', String(streams)]], 'over')
      : await runWithBundle(
          cli,
          options,
          sharesOf(count, streams).map((own) => [...common, ...own]),
        );
  if (status !== 0)
    throw new Failure('Unexpected', `the worker ended with status ${status}; its last lines say why`, {
      exitStatus: status,
    });
  return { json: { exitStatus: status }, text: '' };
}

/** Streams are what all processes have together: one without any would wait for ever for a slot. */
function requireStreams({ queues }: Options, processes: number, streams: number): void {
  const hasStreams = queues === undefined || queues.some((role) => role === 'data' || role === 'vaultData');
  if (!hasStreams || processes <= streams) return;
  throw new Failure(
    'InvalidInput',
    `--processes ${processes} cannot share ${streams} streams: give --streams ${processes} or more, or fewer processes`,
    { field: '--processes' },
  );
}

/** Of streams and of connections to a host, what each process may have. */
export function sharesOf(processes: number, streams: number): string[][] {
  const connections = Math.max(
    1,
    Math.min(limits.connectionsPerHost, Math.floor(limits.connectionsPerHostInAll / processes)),
  );
  return Array.from({ length: processes }, (_, at) => {
    const own = Math.floor(streams / processes) + (at < streams % processes ? 1 : 0);
    return ['--streams', String(Math.max(1, own)), '--connections', String(connections)];
  });
}

/** Workflows are bundled once for all: it takes seconds of a core, and one that is started again is there at once. */
async function runWithBundle(cli: Cli, { queues }: Options, argvs: readonly string[][]): Promise<number> {
  if (queues && !queues.includes('host')) return runWorkers(cli, argvs, 'again');
  const folder = await mkdtemp(join(tmpdir(), 'clawback-worker-'));
  const bundle = join(folder, 'workflows.js');
  try {
    const status = await runWorkers(cli, [['--write-bundle', bundle]], 'over');
    if (status !== 0) return status;
    return await runWorkers(
      cli,
      argvs.map((argv) => [...argv, '--workflow-bundle', bundle]),
      'again',
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const stderr = 2;

function runWorkers(cli: Cli, argvs: readonly string[][], ended: 'again' | 'over'): Promise<number> {
  const script = fileURLToPath(new URL('../../worker.ts', import.meta.url));
  return runFamily({
    argvs: argvs.map((argv) => [script, '--owned', ...argv]),
    stdout: cli.settings.json ? stderr : 'inherit',
    log: createLog({ name: 'worker', destination: { write: (line) => void cli.around.stderr.write(line) } }),
    ended,
    // a wrong fleet file or flag stays wrong
    final: [exitStatus.input, exitStatus.refused],
  });
}
