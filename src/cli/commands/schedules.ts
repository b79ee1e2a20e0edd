// `schedules apply|list|pause|resume|trigger|remove`: what runs by itself. `apply` makes Temporal's schedules those of the
// fleet file, showing first what it would change.

import { Command } from 'commander';
import type { Temporal } from '../../client/connection.ts';
import {
  applySchedules,
  compareSchedules,
  listSchedules,
  pauseSchedule,
  removeSchedule,
  resumeSchedule,
  triggerSchedule,
} from '../../client/schedules.ts';
import type { FleetFile } from '../../config/fleet-file.ts';
import { Failure } from '../../domain/failure.ts';
import { askYesNo } from '../ask.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { askTimeZones } from '../lane-probe.ts';
import { changesText, schedulesText } from '../schedules-text.ts';

export function schedulesCommand(cli: Cli): Command {
  const command = new Command('schedules').description(
    'what runs by itself: backups, expiry, verification, sweep, watch',
  );
  for (const make of [apply, list, pause, resume, trigger, remove]) command.addCommand(make(cli));
  return command;
}

interface ApplyOptions {
  readonly dryRun?: true;
  readonly yes?: true;
}

function apply(cli: Cli): Command {
  const command = new Command('apply')
    .description("make Temporal's schedules those of the fleet file; shows the changes first, asks once")
    .option('--dry-run', 'show what would change; change nothing')
    .option('--yes', 'do not ask')
    .action(cli.action((options: ApplyOptions) => applyFleet(cli, options)));
  return documented(command, {
    examples: ['./clawback schedules apply --dry-run', './clawback schedules apply --yes'],
    json: [
      '`fleet`; `applied`: were the changes made?',
      '`changes`: a list of `id`, `change` (`create`, `update`, `remove`); of a new one `to`, of a changed one `fields` (a list of `field`, `from`, `to`) and `paused`',
      '`schedules`: how many the fleet file has',
    ],
    notes: [
      'May be repeated: a second run changes nothing. Only schedules of this fleet are touched; those of hosts and lanes that are gone are removed. A pause stays.',
      'A host whose `timeZone` is `ask` is asked by SSH; one that does not answer ends the command, nothing changed.',
    ],
  });
}

async function applyFleet(cli: Cli, { dryRun, yes }: ApplyOptions): Promise<Outcome> {
  const file = await cli.loadFleet();
  const planned = file.schedules(await zonesOf(file));
  warnOfRisks(
    cli,
    file,
    planned.flatMap(({ when }) => ('timeZone' in when ? [when.timeZone] : [])),
  );
  return cli.withTemporal(async ({ client }) => {
    const { fleet } = file.fleet;
    const changes = await compareSchedules(client, fleet, planned);
    const answer = { fleet, schedules: planned.length };
    if (changes.length === 0 || dryRun === true)
      return { json: { ...answer, applied: false, changes }, text: changesText(changes, planned.length, 'planned') };
    if (yes !== true) await requireYes(cli, changesText(changes, planned.length, 'planned'));
    const made = await applySchedules(client, fleet, planned);
    return { json: { ...answer, applied: true, changes: made }, text: changesText(made, planned.length, 'made') };
  });
}

async function requireYes(cli: Cli, text: string): Promise<void> {
  if (!cli.canAsk)
    throw new Failure('InvalidInput', 'nobody can be asked here: look at `--dry-run`, then give --yes', {
      field: '--yes',
    });
  cli.note(text);
  if (!(await askYesNo(cli, 'Apply?')))
    throw new Failure('InvalidInput', 'not applied, nothing was changed', { field: '--yes' });
}

async function zonesOf(file: FleetFile): Promise<Record<string, string>> {
  const hosts = file.scheduleHosts();
  const said = hosts.flatMap(({ host, timeZone }) => (timeZone === undefined ? [] : [[host, timeZone] as const]));
  const toAsk = hosts.filter(({ timeZone }) => timeZone === undefined);
  return { ...Object.fromEntries(said), ...(await askTimeZones(file, toAsk)) };
}

/** Where clocks are moved, 02:30 is missing on one day and comes twice on another. */
function warnOfRisks(cli: Cli, file: FleetFile, zones: readonly string[]): void {
  const risky = file.riskySchedules();
  const moved = [...new Set(zones)].filter(movesClocks);
  if (risky.length === 0 || moved.length === 0) return;
  cli.warn(
    `schedules.${risky.join(', schedules.')}: in ${moved.join(', ')} clocks are moved between 01:00 and 03:00; a run is left out or doubled on those two days. Choose another time.`,
  );
}

function movesClocks(timeZone: string): boolean {
  const year = new Date().getUTCFullYear();
  const offset = (month: number): string | undefined =>
    new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
      .formatToParts(Date.UTC(year, month, 1))
      .find(({ type }) => type === 'timeZoneName')?.value;
  return offset(0) !== offset(6);
}

function list(cli: Cli): Command {
  const command = new Command('list').description('the schedules that Temporal holds, with next and last run').action(
    cli.action(async (): Promise<Outcome> => {
      const { fleet } = (await cli.loadFleet()).fleet;
      const schedules = await cli.withTemporal(({ client }) => listSchedules(client, fleet));
      return { json: { fleet, schedules }, text: schedulesText(fleet, schedules) };
    }),
  );
  return documented(command, {
    examples: ['./clawback schedules list', './clawback --json schedules list'],
    json: [
      '`fleet`',
      '`schedules`: a list of `name`, `terms` (`when`, `timeZone`, `jitterMs`, `catchupMs`, `overlap`, `pauseOnFailure`, `workflow`, `queue`, `input`), `paused`, `note`, `nextAt`, `lastAt`, `lastWorkflowId`, `lastOutcome`, `missed`',
    ],
  });
}

interface Named {
  readonly verb: string;
  readonly description: string;
  readonly done: string;
  /** Takes `--note`. */
  readonly noted: boolean;
  readonly note: string;
  readonly work: (temporal: Temporal, named: { fleet: string; name: string; note: string }) => Promise<void>;
}

function named(cli: Cli, { verb, description, done, noted, note, work }: Named): Command {
  const command = new Command(verb)
    .description(description)
    .argument('<NAME...>', 'schedules, as `schedules list` names them');
  if (noted) command.option('--note <TEXT>', 'why; it stands beside the schedule');
  command.action(
    cli.action(async (names: readonly string[], options: { readonly note?: string }): Promise<Outcome> => {
      const { fleet } = (await cli.loadFleet()).fleet;
      await cli.withTemporal(async (temporal) => {
        for (const name of names) await work(temporal, { fleet, name, note: options.note ?? note });
      });
      return { json: { fleet, schedules: names }, text: names.map((name) => `${done} ${name}`).join('\n') };
    }),
  );
  return documented(command, {
    examples: [`./clawback schedules ${verb} tier-a/mac-1`],
    json: ['`fleet`', '`schedules`: the names'],
  });
}

function pause(cli: Cli): Command {
  return named(cli, {
    verb: 'pause',
    description: 'leave its runs out until it is resumed',
    done: 'paused',
    noted: true,
    note: 'paused by ./clawback schedules pause',
    work: ({ client }, which) => pauseSchedule(client, which),
  });
}

function resume(cli: Cli): Command {
  return named(cli, {
    verb: 'resume',
    description: 'let it run again',
    done: 'resumed',
    noted: true,
    note: 'resumed by ./clawback schedules resume',
    work: ({ client }, which) => resumeSchedule(client, which),
  });
}

function trigger(cli: Cli): Command {
  return named(cli, {
    verb: 'trigger',
    description: 'run it once now, or when the run that goes on is over; beside its times, also when it is paused',
    done: 'triggered',
    noted: false,
    note: '',
    work: ({ client }, which) => triggerSchedule(client, which),
  });
}

function remove(cli: Cli): Command {
  return named(cli, {
    verb: 'remove',
    description: 'take it away; `schedules apply` makes it anew while the fleet file has it',
    done: 'removed',
    noted: false,
    note: '',
    work: ({ client }, which) => removeSchedule(client, which),
  });
}
