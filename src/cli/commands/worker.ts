// `worker`: spawns src/worker.ts on this Node and never imports it. Signals are forwarded; its exit status is ours.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { queueRoles } from '../../client/workers.ts';
import { Failure } from '../../domain/failure.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { parseCount, parseList } from '../parse.ts';

interface Options {
  readonly queues?: readonly string[];
  readonly streams?: number;
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
      'backup and restore streams at the same time (default: one for each core)',
      parseCount('--streams', mostStreams),
    )
    .action(cli.action((options: Options) => work(cli, options)));
  return documented(command, {
    examples: ['./clawback worker', './clawback worker --queues host,data --streams 4'],
    json: ['`exitStatus`: of the worker, when it has ended'],
    notes: [
      'Its log is on stderr, a JSON object a line. TEMPORAL_ADDRESS and the other variables and profiles of Temporal name the service.',
    ],
  });
}

async function work(cli: Cli, options: Options): Promise<Outcome> {
  const fleet = await cli.loadFleet();
  // what would end the worker at once is told here, as every other failure is
  await cli.withTemporal(async () => undefined);
  const status = await runWorker(
    [
      '--fleet',
      fleet.path,
      ...(options.queues ? ['--queues', options.queues.join(',')] : []),
      ...(options.streams ? ['--streams', String(options.streams)] : []),
    ],
    cli.settings.json ? stderr : 'inherit',
  );
  if (status !== 0)
    throw new Failure('Unexpected', `the worker ended with status ${status}; its last lines say why`, {
      exitStatus: status,
    });
  return { json: { exitStatus: status }, text: '' };
}

const stderr = 2;
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * In a process group of its own: a Ctrl-C of the terminal would else reach it twice, once by itself and once by us. The
 * second Ctrl-C, which ends us at once, ends it too: killed workers are what everything here is made for.
 */
function runWorker(args: readonly string[], stdout: 'inherit' | typeof stderr): Promise<number> {
  const script = fileURLToPath(new URL('../../worker.ts', import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', stdout, 'inherit'], detached: true });
  const kill = (): void => void child.kill('SIGKILL');
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of forwarded) process.on(signal, forward);
  process.once('exit', kill);
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(new Failure('Unexpected', `the worker could not be started: ${error.message}`)),
    );
    child.once('close', (status, signal) => {
      for (const name of forwarded) process.off(name, forward);
      process.off('exit', kill);
      resolve(status ?? 128 + constants.signals[signal ?? 'SIGKILL']);
    });
  });
}
