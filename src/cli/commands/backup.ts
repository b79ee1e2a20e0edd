// `backup LANE…`: starts the workflow, follows it, tells what is in the bundle; of many lanes, a table.

import { Command } from 'commander';
import { startBackup } from '../../client/start.ts';
import type { BackupResult } from '../../contract/results.ts';
import type { Tier } from '../../domain/terms.ts';
import { backupText } from '../backup-text.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import {
  backUpFleet,
  type FleetFlags,
  fleetExitNote,
  fleetFields,
  meantLanes,
  requireOneChoice,
} from '../fleet-command.ts';
import { follow, sayHowToFollow, warnOfMissingWorkers } from '../follow.ts';
import { collectLanes, parseTier } from '../parse.ts';

interface Options extends FleetFlags {
  readonly tier: Tier;
}

export function backupCommand(cli: Cli): Command {
  const command = new Command('backup')
    .description('back lanes up, each into a new bundle; no gateway is ever stopped')
    .argument('[LANE...]', 'lanes, as fleet.yaml names them', collectLanes)
    .option('--all', 'every lane of the fleet')
    .option('--host <HOST>', 'the lanes of this host')
    .option('--tier <TIER>', 'A: class 1; B: classes 1 and 2; C: the whole lane', parseTier('--tier'), 'A')
    .action(cli.action((lanes: readonly string[], options: Options) => backup(cli, lanes, options)));
  return documented(command, {
    examples: [
      './clawback backup lane-1',
      './clawback backup lane-1 --tier B',
      './clawback backup --all --tier C',
      './clawback --json backup lane-1 --tier C',
    ],
    json: [...backupFields, ...fleetFields],
    notes: [
      'Exit status 5 when the bundle is written, but suspect: class 1 is empty, or it shrank by half.',
      fleetExitNote,
    ],
  });
}

export const backupFields = [
  '`workflowId`: the workflow',
  '`bundle`, `lane`, `host`, `tier`, `manifestSha256`',
  '`segments`, `reusedSegments`: of the bundle, and of these the ones that were in the store already',
  "`sizeBytes`: of the lane's data; `sealedBytes`: written to the store by this run",
  '`elapsedMs`',
  '`replica`: the store that has a copy too; absent when none has',
  '`omissions`: a list of `reason` and `count`',
  '`suspect`: reasons; `warnings`: texts',
] as const;

async function backup(cli: Cli, names: readonly string[], { tier, ...flags }: Options): Promise<Outcome> {
  requireOneChoice(names, flags);
  const file = await cli.loadFleet();
  const meant = meantLanes(file, names, flags);
  if ('lane' in meant) return backupLane(cli, meant.lane, tier);
  return cli.withTemporal((temporal) => backUpFleet({ cli, temporal, file, ...meant }, tier));
}

async function backupLane(cli: Cli, lane: string, tier: Tier): Promise<Outcome> {
  const { fleet } = await cli.stakeLane(lane);
  return cli.withTemporal(async (temporal) => {
    await warnOfMissingWorkers(cli, temporal, 'backup');
    const run = await startBackup(temporal.client, { lane, tier });
    cli.markStarted();
    sayHowToFollow(cli, run.workflowId);
    const result = await follow(cli, temporal, { run, fleet: fleet.fleet, lane, title: `backup ${lane}` });
    return backupOutcome(run.workflowId, result);
  });
}

export function backupOutcome(workflowId: string, result: BackupResult): Outcome {
  return {
    json: { workflowId, ...result },
    text: backupText(result),
    exit: result.suspect.length > 0 ? 'attention' : 'ok',
  };
}
