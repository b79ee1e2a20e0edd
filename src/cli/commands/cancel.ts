// `cancel WORKFLOW`: asks a workflow to end, and waits until it has put its lane right.

import { Command } from 'commander';
import type { Temporal } from '../../client/connection.ts';
import { attachRun, cancelRun, describeRun, type RunDescription } from '../../client/run.ts';
import { isFailure } from '../../domain/failure.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { follow } from '../follow.ts';
import { probeLanes } from '../lane-probe.ts';
import { laneLine } from '../lane-text.ts';
import { parseWorkflowId } from '../parse.ts';
import { requireLane } from './follow.ts';

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
      "`lane`: the lane's state, as in `status`",
    ],
  });
}

async function cancel(cli: Cli, workflowId: string): Promise<Outcome> {
  const fleet = await cli.loadFleet();
  return cli.withTemporal(async (temporal) => {
    const about = await describeRun(temporal.client, workflowId);
    const lane = requireLane(about);
    await cli.stakeLane(lane);
    cli.markStarted();
    const cancelled =
      about.status === 'RUNNING' && (await cancelAndWait(cli, temporal, about, { fleet: fleet.fleet.fleet, lane }));
    const [state] = await probeLanes(fleet, [lane]);
    const said = cancelled
      ? `${workflowId} is cancelled`
      : `${workflowId} had come to its end before it could be cancelled`;
    return {
      json: { workflowId, cancelled, lane: state },
      text: [said, ...(state ? [laneLine(state)] : [])].join('\n'),
    };
  });
}

/** False when it came to its end all the same. */
async function cancelAndWait(
  cli: Cli,
  temporal: Temporal,
  { workflowId, type }: RunDescription,
  { fleet, lane }: { readonly fleet: string; readonly lane: string },
): Promise<boolean> {
  await cancelRun(temporal.client, workflowId);
  cli.note(`asked ${workflowId} to end; it puts lane ${lane} right first`);
  try {
    await follow(cli, temporal, {
      run: attachRun(temporal.client, workflowId),
      fleet,
      lane,
      title: `cancel ${type} ${lane}`,
    });
    return false;
  } catch (error) {
    if (isFailure(error, 'Cancelled')) return true;
    throw error;
  }
}
