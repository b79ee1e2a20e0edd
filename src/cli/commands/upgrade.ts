// `upgrade LANE`: a bundle first, then the upgrade hook, then an answered message; else back to that bundle and version.

import { Command } from 'commander';
import type { Temporal } from '../../client/connection.ts';
import { startUpgrade } from '../../client/start.ts';
import type { UpgradeResult } from '../../contract/upgrade.ts';
import { Failure } from '../../domain/failure.ts';
import { askYesNo } from '../ask.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { follow, sayHowToFollow, warnOfMissingWorkers } from '../follow.ts';
import { formatDuration, formatTable } from '../format.ts';
import { parseLane, parseVersion } from '../parse.ts';

interface Options {
  readonly to?: string;
  readonly acceptVersion?: true;
  readonly dryRun?: true;
  readonly yes?: true;
}

export function upgradeCommand(cli: Cli): Command {
  const command = new Command('upgrade')
    .description('upgrade OpenClaw of a lane: a tier B first, then the upgrade hook, then a test message; else back')
    .argument('<LANE>', 'the lane, as fleet.yaml names it', parseLane('LANE'))
    .option('--to <VERSION>', 'the version to install (default: the upgrade hook chooses)', parseVersion('--to'))
    .option('--accept-version', "keep a version that is outside the profile's range")
    .option('--dry-run', 'check only; nothing is changed')
    .option('--yes', 'do not ask')
    .action(cli.action((lane: string, options: Options) => upgrade(cli, lane, options)));
  return documented(command, {
    examples: ['./clawback upgrade lane-1 --dry-run', './clawback upgrade lane-1 --to 2026.10.2'],
    json: upgradeFields,
    notes: [
      'The hooks `upgrade` and `pin` of fleet.yaml are needed (docs/hooks.md). When the hook fails or the gateway answers no message, the lane goes back to the bundle and to the version that it had: exit status 4, and the message says so.',
    ],
  });
}

const upgradeFields = [
  '`workflowId`: the workflow',
  '`lane`, `host`; `from`, `to`: versions of OpenClaw; `bundle`: taken before, null of a dry run; `dryRun`',
  '`messageAnswered`; `hookMs`, `elapsedMs`; `receipt`: id of its receipt, or null; `warnings`: texts',
] as const;

async function upgrade(cli: Cli, lane: string, options: Options): Promise<Outcome> {
  const asks = !options.yes && !options.dryRun;
  if (asks && !cli.canAsk)
    throw new Failure('InvalidInput', 'there is no terminal to ask on: give --yes, or --dry-run to check alone', {
      field: '--yes',
    });
  const { fleet } = await cli.stakeLane(lane);
  return cli.withTemporal(async (temporal) => {
    await warnOfMissingWorkers(cli, temporal, 'any');
    if (asks) await agree(cli, lane, options);
    return run(cli, temporal, { fleet: fleet.fleet, lane, options });
  });
}

async function agree(cli: Cli, lane: string, { to }: Options): Promise<void> {
  cli.note(`A tier B of lane ${lane} is taken, then the upgrade hook installs ${to ?? 'the version that it chooses'}.`);
  cli.note('Unless a test message is answered then, the lane goes back to that bundle and to its version.');
  if (await askYesNo(cli, `Upgrade ${lane} now?`)) return;
  throw new Failure('Cancelled', `the upgrade of lane ${lane} was not started`, { lane });
}

interface Request {
  readonly fleet: string;
  readonly lane: string;
  readonly options: Options;
}

async function run(cli: Cli, temporal: Temporal, { fleet, lane, options }: Request): Promise<Outcome> {
  const { to, acceptVersion = false, dryRun = false } = options;
  const started = await startUpgrade(temporal.client, { lane, to, acceptVersion, dryRun });
  cli.markStarted();
  sayHowToFollow(cli, started.workflowId);
  const result = await follow(cli, temporal, { run: started, fleet, lane, title: `upgrade ${lane}` });
  return upgradeOutcome(started.workflowId, result);
}

export function upgradeOutcome(workflowId: string, result: UpgradeResult): Outcome {
  return { json: { workflowId, ...result }, text: upgradeText(result), exit: 'ok' };
}

function upgradeText({ lane, from, to, bundle, dryRun, hookMs, elapsedMs, receipt, warnings }: UpgradeResult): string {
  const told = warnings.map((warning) => ['warning', warning]);
  if (dryRun) {
    const head = `lane ${lane} could be upgraded from OpenClaw ${from} to ${to ?? 'what its hook chooses'}; nothing was changed`;
    return told.length > 0 ? `${head}\n${formatTable([], told)}` : head;
  }
  const rows = [
    ['gateway', 'healthy, and it answered a test message'],
    ['taken', `${formatDuration(elapsedMs)}, of which the hook ${formatDuration(hookMs)}`],
    ['before', `bundle ${bundle} (./clawback restore ${lane} --bundle ${bundle} --pin goes back)`],
    ...(receipt === null ? [] : [['receipt', `${receipt} (./clawback receipt show ${receipt} --lane ${lane})`]]),
    ...told,
  ];
  return `lane ${lane} upgraded from OpenClaw ${from} to ${to}\n${formatTable([], rows)}`;
}
