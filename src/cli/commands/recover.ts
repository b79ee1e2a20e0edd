// `recover SCENARIO SUBJECT`: opens an incident by hand, or follows the one that goes on.

import { Command } from 'commander';
import { openIncident } from '../../client/incidents.ts';
import { type Scenario, scenarios, subjectKinds } from '../../domain/incident.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { followIncident } from '../follow-incident.ts';
import { sayHowToFollow, warnOfMissingWorkers } from '../follow.ts';
import { parseLane, parseOneOf } from '../parse.ts';

interface Options {
  readonly dryRun?: true;
  readonly yes?: true;
  readonly standby?: string;
  readonly as?: string;
}

export function recoverCommand(cli: Cli): Command {
  const command = new Command('recover')
    .description('recover from a disaster by its playbook; the incident that goes on already is followed')
    .argument('<SCENARIO>', scenarios.join(', '), parseOneOf('SCENARIO', scenarios))
    .argument('<SUBJECT>', 'the lane (bad-upgrade), host or region, as fleet.yaml names it', parseLane('SUBJECT'))
    .option('--dry-run', 'show the plan: steps, bundles, estimated RTO, what is lost; change nothing')
    .option('--yes', 'approve the plan without a question')
    .option('--as <NAME>', 'who approves (default: the account on this machine)')
    .option('--standby <HOST>', 'the host that takes the lanes over', parseLane('--standby'))
    .action(
      cli.action((scenario: Scenario, subject: string, options: Options) => recover(cli, scenario, subject, options)),
    );
  return documented(command, {
    examples: ['./clawback recover disk-full mac-1 --dry-run', './clawback recover disk-full mac-1 --yes'],
    json: incidentFields,
    notes: [
      "Exit status 0 when every lane answers again, or nothing had to be done; 3 when its plan was declined; 4 when it did not bring every lane back; 5 when it waits for an approval, or for somebody's hand: `next` says what to type. docs/playbooks.md tells each playbook.",
    ],
  });
}

export const incidentFields = [
  '`incident`, `runId`, `fleet`, `scenario`, `subject`; `phase`: `planning`, `awaiting-approval`, `recovering`, `planned`, `recovered`, `closed`, `declined`, `failed` or `cancelled`; `doing`: in words',
  '`openedBy`, `rehearsal`, `openedAt`, `endedAt`, `since`, `signal` (`code`, `since`, `text`, or null), `clearedAt`',
  '`plan`: `digest`, `steps`, `lanes` (`lane`, `host`, `toHost`, `bundle`, `tier`, `proven`, `store`, `sizeBytes`, `estimateMs`, `rpo`, `lost`), `estimatedRtoMs`, `rtoBudgetMs`, `ask`, `warnings`; or null',
  '`approvers`: names; `approval`: `by`, `at`, `digest`, `how` (`policy`, `signed`, `stated`), `waiveFence`, or null; `declined`: `by`, `reason`, `at`, or null; `reminders`; `hand`: `step`, `what`, or null; `hands`: those that were done: `step`, `what`, `by`, `at`, `how` (`signed`, `stated`), and the machine that was brought',
  '`rto`: `ms` (null until every lane answers), `budgetMs`, `over`, `waitingMs` (for people), `provisioningMs`',
  '`outcome`: `lanes` (`lane`, `outcome`, `bundle`, `answeredAt`, `code`, `message`), `escalation`, `remarks`, `pruned`, `followUp`; or null',
  '`code`, `message` of what it failed with, or null; `next`: what to type; `receipt`; `warnings`',
] as const;

async function recover(cli: Cli, scenario: Scenario, subject: string, options: Options): Promise<Outcome> {
  const { fleet } = await cli.loadFleet();
  const { dryRun = false, yes = false, standby, as } = options;
  return cli.withTemporal(async (temporal) => {
    await warnOfMissingWorkers(cli, temporal, 'any');
    const input = { [subjectKinds[scenario]]: subject, standby };
    const { handle, isNew } = await openIncident(temporal.client, {
      fleet: fleet.fleet,
      scenario,
      subject,
      input,
      dryRun,
    });
    if (!isNew) cli.note(`${handle.workflowId} goes on already: it is followed`);
    sayHowToFollow(cli, handle.workflowId);
    return followIncident(cli, temporal, { incident: handle.workflowId, yes, as });
  });
}
