// `incidents list` and `incidents show`: what disasters were signalled, and what became of each.

import { Command } from 'commander';
import { incidentIdOf, listIncidents, readIncident } from '../../client/incidents.ts';
import { scenarios } from '../../domain/incident.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { formatInstant, formatTable, plural } from '../format.ts';
import { incidentText } from '../incident-text.ts';
import { parseWorkflowId } from '../parse.ts';
import { incidentFields } from './recover.ts';

export function incidentsCommand(cli: Cli): Command {
  return new Command('incidents')
    .usage('COMMAND')
    .description('what disasters were signalled, and what became of each')
    .addCommand(listCommand(cli))
    .addCommand(showCommand(cli));
}

function listCommand(cli: Cli): Command {
  const command = new Command('list')
    .description("the fleet's incidents, newest first")
    .action(cli.action(() => list(cli)));
  return documented(command, {
    examples: ['./clawback incidents list'],
    json: [
      "`incidents`: a list of `incident`, `scenario`, `subject`, `status` (Temporal's), `verdict` (null while it goes on), `startedAt`, `closedAt`; at most 100",
    ],
    notes: [
      'Exit status 5 when one goes on. What Temporal has forgotten (its retention) is not in it; receipts stay in the store.',
    ],
  });
}

async function list(cli: Cli): Promise<Outcome> {
  const { fleet } = await cli.loadFleet();
  return cli.withTemporal(async ({ client }) => {
    const incidents = await listIncidents(client, fleet.fleet);
    const open = incidents.some(({ status }) => status === 'RUNNING');
    const rows = incidents.map(({ incident, verdict, status, startedAt, closedAt }) => [
      incident,
      verdict ?? status.toLowerCase(),
      formatInstant(startedAt),
      closedAt === null ? '' : formatInstant(closedAt),
    ]);
    const text =
      rows.length === 0
        ? `fleet ${fleet.fleet}: no incident`
        : `fleet ${fleet.fleet}: ${plural(rows.length, 'incident')}\n${formatTable(['incident', 'is', 'opened', 'ended'], rows)}`;
    return { json: { incidents }, text, exit: open ? 'attention' : 'ok' };
  });
}

function showCommand(cli: Cli): Command {
  const command = new Command('show')
    .description('one incident: plan, estimated RTO, what is lost, where it stands, what to type next')
    .argument('<INCIDENT>', 'its id, or SCENARIO/SUBJECT', parseWorkflowId('INCIDENT'))
    .action(cli.action((incident: string) => show(cli, incident)));
  return documented(command, {
    examples: ['./clawback incidents show disk-full/mac-1'],
    json: incidentFields,
    notes: ['It asks a worker. Exit status 5 while the incident waits for somebody.'],
  });
}

async function show(cli: Cli, text: string): Promise<Outcome> {
  const { fleet } = await cli.loadFleet();
  const incident = incidentIdOf(fleet.fleet, text, scenarios);
  return cli.withTemporal(async ({ client }) => {
    const state = await readIncident(client, incident);
    const waits = state.phase === 'awaiting-approval' || state.hand !== null;
    return { json: { ...state }, text: incidentText(state), exit: waits ? 'attention' : 'ok' };
  });
}
