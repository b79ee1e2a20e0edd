// `sweep LANE`: removes from the store what no manifest of the lane names.

import { Command } from 'commander';
import { startSweep } from '../../client/start.ts';
import type { SweepResult, SweptStore } from '../../contract/results.ts';
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
    .description(
      'remove from the store and its replica what no bundle of the lane names: leftovers of backups that failed',
    )
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
  '`workflowId`: the workflow; `lane`; `store`',
  '`removedObjects`, `removedBytes`, `keptObjects`, `lockedObjects`: those that the store does not let go yet; `lockedUntil`: when it lets the last of them go, or null',
  '`staleUploads`: unfinished uploads that were removed',
  '`damaged`: bundles that lack objects, looked for where `--min-age` is below 24 h; with one the exit status is 7',
  '`replica`: the same of the replica, with its `store`; null where there is none',
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
  const lacking = [
    ...result.damaged.map(
      (bundle) => `BUNDLE ${bundle} LACKS OBJECTS: it was committed meanwhile; take another backup`,
    ),
    ...(result.replica?.damaged ?? []).map(
      (bundle) =>
        `BUNDLE ${bundle} LACKS OBJECTS AT THE REPLICA: ./clawback replicate ${lane} --bundle ${bundle}, while ${result.store} has it`,
    ),
  ];
  const swept = [result, ...(result.replica === null ? [] : [result.replica])];
  const lines = swept.map((one) => `lane ${lane} in store ${one.store}: ${sweptText(one)}`);
  const json = { workflowId, lane, ...result };
  return { json, text: [...lines, ...lacking].join('\n'), exit: lacking.length > 0 ? 'damaged' : 'ok' };
}

function sweptText(swept: SweptStore): string {
  const { removedObjects, removedBytes, keptObjects, lockedObjects, staleUploads } = swept;
  const locked = lockedObjects > 0 ? `, ${lockedText(swept)}` : '';
  return `${plural(removedObjects, 'object')} removed (${formatBytes(removedBytes)}), ${keptObjects} kept${locked}, ${plural(staleUploads, 'unfinished upload')} removed`;
}
