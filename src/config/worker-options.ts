// The options of `node src/worker.ts`: `--fleet FILE [--queues host,data,vault,vaultData] [--streams N]`. The CLI may start
// several: `--owned` ends a worker with its owner, `--connections N` is its share of a host's, `--workflow-bundle FILE`
// are the workflows bundled before, and `--write-bundle FILE` does nothing but that.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type QueueRole, queueRoles } from '../contract/names.ts';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';

export interface WorkerSettings {
  readonly fleet: string;
  readonly roles: readonly QueueRole[];
  /** Backup streams, and as many of restores. */
  readonly streams: number;
  /** To one host. */
  readonly connections: number;
  readonly bundle: string | undefined;
  /** Its stdin is a pipe that the owner holds. */
  readonly owned: boolean;
}

/** What to do: work, or bundle the workflows into a file. InvalidInput. */
export function readWorkerOptions(argv: readonly string[]): WorkerSettings | { readonly writeBundle: string } {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      fleet: { type: 'string' },
      queues: { type: 'string' },
      streams: { type: 'string' },
      connections: { type: 'string' },
      'workflow-bundle': { type: 'string' },
      'write-bundle': { type: 'string' },
      owned: { type: 'boolean', default: false },
    },
  });
  if (values['write-bundle'] !== undefined) return { writeBundle: values['write-bundle'] };
  if (values.fleet === undefined)
    throw new Failure('InvalidInput', 'the worker needs --fleet FILE', { field: 'fleet' });
  return {
    fleet: values.fleet,
    roles: rolesOf(values.queues),
    streams: positive('streams', values.streams, cpus().length),
    connections: positive('connections', values.connections, limits.connectionsPerHost),
    bundle: values['workflow-bundle'],
    owned: values.owned,
  };
}

function rolesOf(text: string | undefined): readonly QueueRole[] {
  const named = text?.split(',') ?? queueRoles;
  const unknown = named.filter((name) => !(queueRoles as readonly string[]).includes(name));
  if (unknown.length === 0) return named as QueueRole[];
  throw new Failure('InvalidInput', `no queue ${unknown.join(', ')}; there are ${queueRoles.join(', ')}`, {
    field: 'queues',
  });
}

function positive(field: string, text: string | undefined, preset: number): number {
  const number = Number(text ?? preset);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new Failure('InvalidInput', `--${field} ${text} is no positive number`, { field });
}
