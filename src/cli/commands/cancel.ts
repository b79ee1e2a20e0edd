// `cancel WORKFLOW`: asks a workflow to end, and waits until it has put its lane right.

import { Command } from 'commander';
import type { Temporal } from '../../client/connection.ts';
import { endOfIncident } from '../../client/incidents.ts';
import { attachRun, cancelRun, describeRun, type RunDescription } from '../../client/run.ts';
import type { FleetFile } from '../../config/fleet-file.ts';
import { isFailure } from '../../domain/failure.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { isFleetRun, lanesOfRun } from '../fleet-command.ts';
import { follow, followFleet } from '../follow.ts';
import { probeLanes } from '../lane-probe.ts';
import { laneLine } from '../lane-text.ts';
import { parseWorkflowId } from '../parse.ts';
import { isIncident, requireLane } from './follow.ts';

export function cancelCommand(cli: Cli): Command {
  const command = new Command('cancel')
    .description('end a workflow; it puts its lane right first, and this waits for it')
    .argument('<WORKFLOW>', 'its id, as backup, restore and status show it', parseWorkflowId('WORKFLOW'))
    .action(cli.action((workflowId: string) => cancel(cli, workflowId)));
  return documented(command, {
    examples: ['./clawback cancel backup/lane-1/2026-11-22T03:15:00Z-1a2b3c4d'],
    json: [
      '`workflowId`',
      '`cancelled`: false when it had come to its end before the request reached it',
      "`lane`: the lane's state, as in `status`; of a run over many, `lanes`: a list of them",
    ],
  });
}

async function cancel(cli: Cli, workflowId: string): Promise<Outcome> {
  const fleet = await cli.loadFleet();
  return cli.withTemporal(async (temporal) => {
    const about = await describeRun(temporal.client, workflowId);
    if (isFleetRun(about)) return cancelFleet(cli, temporal, { about, fleet });
    if (isIncident(about)) return cancelIncident(cli, temporal, about);
    const lane = requireLane(about);
    await cli.stakeLane(lane);
    cli.markStarted();
    const cancelled =
      about.status === 'RUNNING' && (await cancelAndWait(cli, temporal, about, { fleet: fleet.fleet.fleet, lane }));
    const [state] = await probeLanes(fleet, [lane]);
    return {
      json: { workflowId, cancelled, lane: state },
      text: [saidOf(workflowId, cancelled), ...(state ? [laneLine(state)] : [])].join('\n'),
    };
  });
}

function saidOf(workflowId: string, cancelled: boolean): string {
  return cancelled ? `${workflowId} is cancelled` : `${workflowId} had come to its end before it could be cancelled`;
}

/** An incident ends what it started on lanes, and puts each right. */
async function cancelIncident(cli: Cli, temporal: Temporal, about: RunDescription): Promise<Outcome> {
  const { workflowId, status } = about;
  const what = 'it puts its lanes right first';
  const cancelled =
    status === 'RUNNING' &&
    (await askToEnd({ cli, temporal, workflowId, what }, () => endOfIncident(temporal.client, workflowId)));
  return { json: { workflowId, cancelled, lanes: [] }, text: saidOf(workflowId, cancelled) };
}

/** Waits until every lane of the run is put right. */
async function cancelFleet(
  cli: Cli,
  temporal: Temporal,
  { about, fleet }: { readonly about: RunDescription; readonly fleet: FleetFile },
): Promise<Outcome> {
  const { workflowId, type } = about;
  const known = await lanesOfRun(temporal, workflowId);
  const cancelled =
    about.status === 'RUNNING' &&
    (await askToEnd({ cli, temporal, workflowId, what: 'it puts its lanes right first' }, () =>
      followFleet(cli, temporal, {
        run: attachRun(temporal.client, workflowId),
        fleet: fleet.fleet.fleet,
        title: `cancel ${type}`,
      }),
    ));
  const lanes = await probeLanes(
    fleet,
    known.filter((lane) => Object.hasOwn(fleet.fleet.lanes, lane)),
  );
  return {
    json: { workflowId, cancelled, lanes },
    text: [saidOf(workflowId, cancelled), ...lanes.map(laneLine)].join('\n'),
  };
}

/** False when it came to its end all the same. */
async function cancelAndWait(
  cli: Cli,
  temporal: Temporal,
  { workflowId, type }: RunDescription,
  { fleet, lane }: { readonly fleet: string; readonly lane: string },
): Promise<boolean> {
  return askToEnd({ cli, temporal, workflowId, what: `it puts lane ${lane} right first` }, () =>
    follow(cli, temporal, {
      run: attachRun(temporal.client, workflowId),
      fleet,
      lane,
      title: `cancel ${type} ${lane}`,
    }),
  );
}

interface Asking {
  readonly cli: Cli;
  readonly temporal: Temporal;
  readonly workflowId: string;
  /** What it does before it ends. */
  readonly what: string;
}

async function askToEnd({ cli, temporal, workflowId, what }: Asking, wait: () => Promise<unknown>): Promise<boolean> {
  await cancelRun(temporal.client, workflowId);
  cli.note(`asked ${workflowId} to end; ${what}`);
  try {
    await wait();
    return false;
  } catch (error) {
    if (isFailure(error, 'Cancelled')) return true;
    throw error;
  }
}
