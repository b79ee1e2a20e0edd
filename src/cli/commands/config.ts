// `config check`: every error and warning of the fleet file at once, each with its line.

import { Command } from 'commander';
import { checkFleet } from '../../config/check-fleet.ts';
import { formatFleetNotes, loadFleet } from '../../config/fleet-file.ts';
import { type Cli, type Outcome, requireFleet } from '../cli.ts';
import { documented } from '../documented.ts';
import { plural } from '../format.ts';

export function configCommand(cli: Cli): Command {
  return new Command('config').usage('COMMAND').description('look at the fleet file').addCommand(checkCommand(cli));
}

function checkCommand(cli: Cli): Command {
  const command = new Command('check')
    .description('check the fleet file: every error at once, each with its line')
    .action(cli.action(() => check(cli)));
  return documented(command, {
    examples: ['./clawback config check', './clawback --fleet prod.yaml config check'],
    json: [
      '`path`: the fleet file',
      '`fleet`, `hosts`, `lanes`, `stores`: its name, and the names in it',
      '`warnings`: a list of `line`, `column`, `path` (the field) and `message`',
      'with errors: the failure InvalidFleet, whose `message` has one line for each',
    ],
  });
}

async function check(cli: Cli): Promise<Outcome> {
  const path = cli.fleetPath;
  await requireFleet(path);
  const { warnings } = await checkFleet(path);
  if (warnings.length > 0 && !cli.settings.json)
    cli.note(formatFleetNotes(path, warnings).replaceAll(/^/gm, `${cli.paint('yellow', 'warning:')} `));
  const { fleet } = await loadFleet(path);
  const [hosts, lanes, stores] = [Object.keys(fleet.hosts), Object.keys(fleet.lanes), Object.keys(fleet.stores)];
  const counted = [plural(lanes.length, 'lane'), plural(hosts.length, 'host'), plural(stores.length, 'store')].join(
    ', ',
  );
  return {
    json: { path, fleet: fleet.fleet, hosts, lanes, stores, warnings },
    text: `${path}: fleet ${fleet.fleet} is right (${counted}; ${plural(warnings.length, 'warning')})`,
  };
}
