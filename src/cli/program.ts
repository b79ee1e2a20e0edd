// The tree of commands: one file each in commands/. docs/cli.md is made from it.

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Cli, Settings } from './cli.ts';
import { approveCommand, declineCommand } from './commands/approve.ts';
import { archivesCommand } from './commands/archives.ts';
import { backupCommand } from './commands/backup.ts';
import { bundlesCommand } from './commands/bundles.ts';
import { cancelCommand } from './commands/cancel.ts';
import { compareCommand } from './commands/compare.ts';
import { configCommand } from './commands/config.ts';
import { expireCommand } from './commands/expire.ts';
import { gateCommand } from './commands/gate.ts';
import { followCommand } from './commands/follow.ts';
import { hostCommand } from './commands/host.ts';
import { incidentsCommand } from './commands/incidents.ts';
import { keysCommand } from './commands/keys.ts';
import { openCommand } from './commands/open.ts';
import { recoverCommand } from './commands/recover.ts';
import { replicateCommand } from './commands/replicate.ts';
import { receiptCommand } from './commands/receipt.ts';
import { reportCommand } from './commands/report.ts';
import { restoreCommand } from './commands/restore.ts';
import { schedulesCommand } from './commands/schedules.ts';
import { statusCommand } from './commands/status.ts';
import { storesCommand } from './commands/stores.ts';
import { sweepCommand } from './commands/sweep.ts';
import { upgradeCommand } from './commands/upgrade.ts';
import { verifyCommand } from './commands/verify.ts';
import { workerCommand } from './commands/worker.ts';
import { parsePath } from './parse.ts';

interface Package {
  readonly version: string;
  readonly description: string;
}

export function packageOf(): Package {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Package;
}

/** Commands in the order in which an operator meets them. */
export function createProgram(cli: Cli): Command {
  const { version, description } = packageOf();
  const program = new Command('clawback')
    .usage('[options] COMMAND')
    .description(`${description}.`)
    .option('--fleet <FILE>', 'the fleet file (default: $CLAWBACK_FLEET, then ./fleet.yaml)', parsePath('--fleet'))
    .option('--json', 'one JSON object on stdout, nothing else there')
    .option('--no-color', 'no colours (also: NO_COLOR in the environment)')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addHelpText(
      'after',
      '\nResults go to stdout; progress, warnings and errors to stderr. Exit statuses: docs/cli.md.',
    )
    .hook('preAction', (_program, command) => {
      const { fleet, json, color } = command.optsWithGlobals<{ fleet?: string; json?: true; color: boolean }>();
      const settings: Settings = { ...(fleet !== undefined && { fleet }), json: json === true, color };
      cli.settings = settings;
    });
  for (const command of commandsOf(cli)) program.addCommand(command);
  for (const command of everyCommand(program)) command.exitOverride().configureOutput({ outputError: () => undefined });
  return program;
}

function commandsOf(cli: Cli): Command[] {
  return [
    configCommand(cli),
    keysCommand(cli),
    storesCommand(cli),
    workerCommand(cli),
    schedulesCommand(cli),
    statusCommand(cli),
    backupCommand(cli),
    bundlesCommand(cli),
    restoreCommand(cli),
    upgradeCommand(cli),
    recoverCommand(cli),
    approveCommand(cli),
    declineCommand(cli),
    incidentsCommand(cli),
    hostCommand(cli),
    archivesCommand(cli),
    receiptCommand(cli),
    gateCommand(cli),
    followCommand(cli),
    cancelCommand(cli),
    openCommand(cli),
    compareCommand(cli),
    reportCommand(cli),
    expireCommand(cli),
    sweepCommand(cli),
    replicateCommand(cli),
    verifyCommand(cli),
  ];
}

/** The program and all below it. */
export function everyCommand(program: Command): Command[] {
  return [program, ...program.commands.flatMap(everyCommand)];
}

/** `bundles list`: the command's name as it is typed. */
export function pathOfCommand(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}
