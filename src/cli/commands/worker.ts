// `worker`: spawns src/worker.ts on this Node, a process for short steps and others for streams, and never imports it. One
// that dies is started again, signals are forwarded, and no worker outlives us; the exit status is theirs.

import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { queueRoles } from '../../client/workers.ts';
import { exitStatus, Failure } from '../../domain/failure.ts';
import { workerEnv, workerNodeFlags } from '../../config/worker-process.ts';
import type { QueueRole } from '../../contract/names.ts';
import { limits } from '../../domain/limits.ts';
import { createLog } from '../../telemetry/log.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { parseCount, parseList } from '../parse.ts';
import { runFamily } from '../process-family.ts';

interface Options {
  readonly queues?: readonly QueueRole[];
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
      'so many processes for streams, beside the one for workflows and short steps (default: 1)',
      parseCount('--processes', limits.workerProcesses),
    )
    .action(cli.action((options: Options) => work(cli, options)));
  return documented(command, {
    examples: [
      './clawback worker',
      './clawback worker --queues host,data --streams 4',
      './clawback worker --processes 2 --streams 4',
    ],
    json: ['`exitStatus`: of the first worker process that did not end well'],
    notes: [
      'Its log is on stderr, a JSON object a line. TEMPORAL_ADDRESS and the other variables and profiles of Temporal name the service. One that dies is started again; none outlives this command, however it ends.',
    ],
  });
}

async function work(cli: Cli, options: Options): Promise<Outcome> {
  const { queues = queueRoles, processes = 1, streams = cpus().length } = options;
  requireStreams(queues, processes, streams);
  const fleet = await cli.loadFleet();
  // what would end the worker at once is told here, as every other failure is
  await cli.withTemporal(async () => undefined);
  const shares = sharesOf({ queues, processes, streams });
  const argvs = shares.map((own) => ['--fleet', fleet.path, ...own]);
  const status = await (queues.includes('host') ? runWithBundle(cli, argvs) : runWorkers(cli, argvs, 'again'));
  if (status !== 0)
    throw new Failure('Unexpected', `the worker ended with status ${status}; its last lines say why`, {
      exitStatus: status,
    });
  return { json: { exitStatus: status }, text: '' };
}

const streaming: readonly QueueRole[] = ['data', 'vaultData'];

/** Streams are what all processes have together: one without any would wait for ever for a slot. */
function requireStreams(queues: readonly QueueRole[], processes: number, streams: number): void {
  if (processes <= streams || !queues.some((role) => streaming.includes(role))) return;
  throw new Failure(
    'InvalidInput',
    `--processes ${processes} cannot share ${streams} streams: give --streams ${processes} or more, or fewer processes`,
    { field: '--processes' },
  );
}

export interface Shares {
  readonly queues: readonly QueueRole[];
  readonly processes: number;
  readonly streams: number;
}

/**
 * The options of each process: `processes` for streams, and one for workflows and short steps, which a busy stream would
 * keep waiting and which need other memory. Of streams and of connections to a host each has its share.
 */
export function sharesOf({ queues, processes, streams }: Shares): string[][] {
  const short = queues.filter((role) => !streaming.includes(role));
  const long = queues.filter((role) => streaming.includes(role));
  const shortCount = long.length > 0 ? 1 : processes;
  const roles = [
    ...(short.length > 0 ? Array.from({ length: shortCount }, () => short) : []),
    ...(long.length > 0 ? Array.from({ length: processes }, () => long) : []),
  ];
  const connections = Math.max(
    1,
    Math.min(limits.connectionsPerHost, Math.floor(limits.connectionsPerHostInAll / roles.length)),
  );
  let left = streams;
  return roles.map((own, at) => {
    const isLong = own === long;
    const share = isLong ? Math.ceil(left / (roles.length - at)) : 1;
    if (isLong) left -= share;
    return ['--queues', own.join(','), '--streams', String(share), '--connections', String(connections)];
  });
}

/** Workflows are bundled once for all: it takes seconds of a core, and one that is started again is there at once. */
async function runWithBundle(cli: Cli, argvs: readonly string[][]): Promise<number> {
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
    argvs: argvs.map((argv) => [...workerNodeFlags, script, '--owned', ...argv]),
    env: workerEnv,
    stdout: cli.settings.json ? stderr : 'inherit',
    log: createLog({ name: 'worker', destination: { write: (line) => void cli.around.stderr.write(line) } }),
    ended,
    // a wrong fleet file or flag stays wrong
    final: [exitStatus.input, exitStatus.refused],
  });
}
