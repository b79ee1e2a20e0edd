// `sweep LANE`: removes from the store what no manifest of the lane names.

import { Command } from 'commander';
import { startSweep } from '../../client/start.ts';
import type { SweepResult } from '../../contract/results.ts';
import { limits } from '../../domain/limits.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { lockedText } from '../expiry-text.ts';
import { follow, sayHowToFollow, warnOfMissingWorkers } from '../follow.ts';
import { formatBytes, plural } from '../format.ts';
import { parseDuration, parseLane } from '../parse.ts';

interface Options {
  readonly minAge: number;
}

export function sweepCommand(cli: Cli): Command {
  const command = new Command('sweep')
    .description('remove from the store what no bundle of the lane names: leftovers of backups that failed')
    .argument('<LANE>', 'the lane, as fleet.yaml names it', parseLane('LANE'))
    .option(
      '--min-age <DURATION>',
      'younger objects stay, like 90s, 30m, 24h, 7d (default: 48h)',
      parseDuration('--min-age'),
    )
    .action(
      cli.action((lane: string, { minAge = limits.sweepMinAgeMs }: Partial<Options>) => sweep(cli, lane, { minAge })),
    );
  return documented(command, {
    examples: ['./clawback sweep lane-1', './clawback sweep lane-1 --min-age 7d'],
    json: sweepFields,
  });
}

export const sweepFields = [
  '`workflowId`: the workflow; `lane`',
  '`removedObjects`, `removedBytes`, `keptObjects`, `lockedObjects`: those that the store does not let go yet; `lockedUntil`: when it lets the last of them go, or null',
  '`staleUploads`: unfinished uploads that were removed',
  '`damaged`: bundles that lack objects, looked for where `--min-age` is below 24 h; with one the exit status is 7',
] as const;

async function sweep(cli: Cli, lane: string, { minAge }: Options): Promise<Outcome> {
  const { fleet } = await cli.stakeLane(lane);
  return cli.withTemporal(async (temporal) => {
    await warnOfMissingWorkers(cli, temporal, 'sweep');
    const run = await startSweep(temporal.client, { lane, minAgeMs: minAge });
    cli.markStarted();
    sayHowToFollow(cli, run.workflowId);
    const result = await follow(cli, temporal, { run, fleet: fleet.fleet, lane, title: `sweep ${lane}` });
    return sweepOutcome(run.workflowId, lane, result);
  });
}

export function sweepOutcome(workflowId: string, lane: string, result: SweepResult): Outcome {
  const { removedObjects, removedBytes, keptObjects, lockedObjects, staleUploads } = result;
  const locked = lockedObjects > 0 ? `, ${lockedText(result)}` : '';
  const text = `lane ${lane}: ${plural(removedObjects, 'object')} removed (${formatBytes(removedBytes)}), ${keptObjects} kept${locked}, ${plural(staleUploads, 'unfinished upload')} removed`;
  const lacking = result.damaged.map(
    (bundle) => `\nBUNDLE ${bundle} LACKS OBJECTS: it was committed meanwhile; take another backup`,
  );
  const json = { workflowId, lane, ...result };
  return { json, text: text + lacking.join(''), exit: lacking.length > 0 ? 'damaged' : 'ok' };
}
