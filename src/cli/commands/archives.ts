// `archives import NAME --lane LANE`: makes a bundle of an archive of the old scripts. The worker reads it.

import { Command } from 'commander';
import { startImport } from '../../client/start.ts';
import type { ImportResult } from '../../contract/results.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { follow, sayHowToFollow, warnOfMissingWorkers } from '../follow.ts';
import { formatBytes, formatInstant, plural } from '../format.ts';
import { parseArchive, parseLane } from '../parse.ts';

export function archivesCommand(cli: Cli): Command {
  return new Command('archives')
    .description('archives of the scripts that ran before Clawback')
    .addCommand(importCommand(cli));
}

function importCommand(cli: Cli): Command {
  const command = new Command('import')
    .description('make a bundle of an archive of the old scripts; the lane itself is not touched')
    .argument('<NAME>', 'the archive, by its name where `archives` of fleet.yaml says', parseArchive('NAME'))
    .requiredOption('--lane <LANE>', 'the lane that it is of', parseLane('--lane'))
    .action(cli.action((archive: string, { lane }: { lane: string }) => importArchive(cli, lane, archive)));
  return documented(command, {
    examples: ['./clawback archives import openclaw-full-20260301.tar.gz.gpg --lane lane-1'],
    json: importFields,
    notes: [
      'The bundle is dated by the archive: its youngest file, on the day in its name. It restores like any other.',
      'The same archive gives the same bundle; a second import writes nothing (`already`).',
    ],
  });
}

export const importFields = [
  '`workflowId`: the workflow; `lane`, `archive`, `bundle`, `tier`, `capturedAt`',
  '`already`: it had been imported before; then the numbers are 0',
  '`segments`, `sizeBytes`, `sealedBytes`',
  '`omissions`: a list of `reason`, `count`; `suspect`: reasons',
] as const;

async function importArchive(cli: Cli, lane: string, archive: string): Promise<Outcome> {
  const { fleet } = await cli.stakeLane(lane);
  return cli.withTemporal(async (temporal) => {
    await warnOfMissingWorkers(cli, temporal, 'backup');
    const run = await startImport(temporal.client, { lane, archive });
    cli.markStarted();
    sayHowToFollow(cli, run.workflowId);
    const result = await follow(cli, temporal, { run, fleet: fleet.fleet, lane, title: `import ${lane}` });
    return importOutcome(run.workflowId, result);
  });
}

export function importOutcome(workflowId: string, result: ImportResult): Outcome {
  const { lane, archive, bundle, tier, capturedAt, already, segments, sizeBytes, omissions, suspect } = result;
  const lines = [
    `lane ${lane}: ${archive} is bundle ${bundle} (tier ${tier}), of ${formatInstant(capturedAt)}`,
    already ? 'it had been imported before' : `${formatBytes(sizeBytes)} in ${plural(segments, 'segment')}`,
    ...omissions.map(({ reason, count }) => `left out: ${count} ${reason}`),
    ...suspect.map((reason) => `SUSPECT: ${reason}`),
    `\`./clawback restore ${lane} --bundle ${bundle}\` restores it`,
  ];
  return { json: { workflowId, ...result }, text: lines.join('\n'), exit: suspect.length > 0 ? 'attention' : 'ok' };
}
