// `replicate [LANE]`: copies bundles to the replica of a lane's store.

import { Command } from 'commander';
import type { Temporal } from '../../client/connection.ts';
import { startReplicate } from '../../client/start.ts';
import type { FleetFile } from '../../config/fleet-file.ts';
import type { ReplicateResult } from '../../contract/results.ts';
import { Failure } from '../../domain/failure.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { follow, sayHowToFollow, warnOfMissingWorkers } from '../follow.ts';
import { formatBytes, formatDuration, plural } from '../format.ts';
import { parseBundle, parseLane } from '../parse.ts';

interface Options {
  readonly bundle?: string;
}

export function replicateCommand(cli: Cli): Command {
  const command = new Command('replicate')
    .description("copy bundles to the replica of the lane's store (`replicaOf` in fleet.yaml); needs no key")
    .argument('[LANE]', 'one lane (default: all that have a replica)', parseLane('LANE'))
    .option(
      '--bundle <ID>',
      'this bundle, what the replica has of it read again (default: all that are not there yet)',
      parseBundle('--bundle'),
    )
    .action(cli.action((lane: string | undefined, options: Options) => replicate(cli, lane, options)));
  return documented(command, {
    examples: ['./clawback replicate', './clawback replicate lane-1 --bundle 20261122T031500Z-1a2b3c4d'],
    json: replicateFields,
    notes: [
      'A backup does this by itself when the store has a replica. Objects are created, never overwritten: one of other bytes at the replica is named, and stays until you remove it there.',
      'Exit status 4 when a bundle could not be copied; the others were.',
    ],
  });
}

const replicateFields = [
  '`lanes`: a list of `workflowId`, `lane`, `from`, `to` (stores), `bundles`, `failed`, `elapsedMs`',
  '`bundles`: a list of `bundle`, `sentObjects`, `sentBytes`, `presentObjects`',
  '`failed`: a list of `bundle`, `code`, `message`',
] as const;

async function replicate(cli: Cli, only: string | undefined, { bundle }: Options): Promise<Outcome> {
  if (only === undefined && bundle !== undefined)
    throw new Failure('InvalidInput', '--bundle wants a LANE: bundles are of one lane', { field: '--bundle' });
  const file = only === undefined ? await cli.loadFleet() : await cli.stakeLane(only);
  const lanes = only === undefined ? lanesWithReplica(file) : [only];
  return cli.withTemporal(async (temporal) => {
    await warnOfMissingWorkers(cli, temporal, 'copy');
    const done: Replicated[] = [];
    for (const lane of lanes) done.push(await replicateLane(cli, temporal, { file, lane, bundle }));
    return replicateOutcome(done);
  });
}

function lanesWithReplica(file: FleetFile): string[] {
  const lanes = Object.keys(file.fleet.lanes).filter((lane) => file.laneSpec(lane).replica !== undefined);
  if (lanes.length > 0) return lanes;
  throw new Failure('NoReplica', `no store of fleet ${file.fleet.fleet} has a replica`, { fleet: file.fleet.fleet });
}

type Replicated = ReplicateResult & { readonly workflowId: string };

async function replicateLane(
  cli: Cli,
  temporal: Temporal,
  { file, lane, bundle }: { readonly file: FleetFile; readonly lane: string; readonly bundle: string | undefined },
): Promise<Replicated> {
  const run = await startReplicate(temporal.client, { lane, bundle });
  sayHowToFollow(cli, run.workflowId);
  const fleet = file.fleet.fleet;
  const result = await follow(cli, temporal, { run, fleet, lane, title: `replicate ${lane}`, isSectionless: true });
  return { workflowId: run.workflowId, ...result };
}

export function replicateOutcome(lanes: readonly Replicated[]): Outcome {
  const hasFailed = lanes.some(({ failed }) => failed.length > 0);
  return { json: { lanes }, text: lanes.map(laneText).join('\n'), exit: hasFailed ? 'failed' : 'ok' };
}

function laneText({ lane, from, to, bundles, failed, elapsedMs }: Replicated): string {
  const bytes = bundles.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
  const head =
    bundles.length + failed.length === 0
      ? `lane ${lane}: ${to} has every bundle of ${from} already`
      : `lane ${lane}: ${plural(bundles.length, 'bundle')} copied from ${from} to ${to}, ${formatBytes(bytes)} sent in ${formatDuration(elapsedMs)}`;
  return [head, ...failed.map(({ bundle, message }) => `  NOT copied ${bundle}: ${message}`)].join('\n');
}
