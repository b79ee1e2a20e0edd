// `approve INCIDENT` and `decline INCIDENT`: somebody's word on an incident's plan. Where the fleet file lists approvers it
// is signed here, by ssh-keygen, with a key that never leaves this machine.

import { Command } from 'commander';
import { incidentIdOf, readIncident, tellIncident } from '../../client/incidents.ts';
import type { RecoveryPlan } from '../../contract/incident-plan.ts';
import type { IncidentState } from '../../contract/incident-state.ts';
import { Failure } from '../../domain/failure.ts';
import { approvalText, scenarios } from '../../domain/incident.ts';
import { askYesNo } from '../ask.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { incidentOutcome, ownName } from '../follow-incident.ts';
import { planLines } from '../incident-text.ts';
import { parseWorkflowId } from '../parse.ts';
import { type SigningOptions, signWord, withSigning } from '../sign-statement.ts';
import { incidentFields } from './recover.ts';

interface Options extends SigningOptions {
  readonly as?: string;
  readonly waiveFence?: true;
  readonly yes?: true;
}

const incidentArgument = ['<INCIDENT>', 'its id, or SCENARIO/SUBJECT', parseWorkflowId('INCIDENT')] as const;

export function approveCommand(cli: Cli): Command {
  const plain = new Command('approve')
    .description("approve an incident's plan, and just that one")
    .argument(...incidentArgument)
    .option('--as <NAME>', 'who approves (default: the account on this machine)');
  const command = withSigning(plain)
    .option('--waive-fence', 'go on although the lost host cannot be fenced; the receipt says UNFENCED')
    .option('--yes', 'do not show the plan and ask')
    .action(cli.action((incident: string, options: Options) => approve(cli, incident, options)));
  return documented(command, {
    examples: [
      './clawback approve cross-write/mac-1',
      './clawback approve incident/demo/disk-full/mac-1 --as ada --key ~/.ssh/id_ed25519',
    ],
    json: incidentFields,
    notes: [
      'Where `playbooks.approvers` of fleet.yaml lists keys, the approval is a signature (`ssh-keygen -Y sign`, namespace `clawback`) over the digest of the plan, the run and an expiry. Else the name is recorded as the statement of whoever typed it. A plan that has changed meanwhile is refused (PlanStale, exit status 3), and so is a signature that does not fit (ApprovalRefused): the incident goes on waiting.',
    ],
  });
}

async function approve(cli: Cli, text: string, options: Options): Promise<Outcome> {
  const { fleet } = await cli.loadFleet();
  const incident = incidentIdOf(fleet.fleet, text, scenarios);
  return cli.withTemporal(async ({ client }) => {
    const state = await readIncident(client, incident);
    const plan = requirePlan(state);
    if (!options.yes) await agree(cli, state, plan);
    const by = options.as ?? ownName();
    const waiveFence = options.waiveFence === true;
    const statement = { workflowId: incident, runId: state.runId, digest: plan.digest, by, waiveFence };
    const signed = await signWord(cli, { ...options, by, approvers: state.approvers, option: '--as' }, (expires) =>
      approvalText({ ...statement, expires }),
    );
    const told = await tellIncident(client, incident, ['approve', { digest: plan.digest, by, waiveFence, ...signed }]);
    return {
      json: { ...told },
      text: `${incident}: its plan is approved by ${by}; \`./clawback incidents show ${incident}\` tells how far it is`,
    };
  });
}

function requirePlan({ incident, phase, plan }: IncidentState): RecoveryPlan {
  if (phase === 'awaiting-approval' && plan !== null) return plan;
  throw new Failure('ApprovalRefused', `${incident} does not wait for an approval: it is ${phase}`);
}

async function agree(cli: Cli, { incident }: IncidentState, plan: RecoveryPlan): Promise<void> {
  if (!cli.canAsk) throw new Failure('InvalidInput', 'there is no terminal to ask on: give --yes', { field: '--yes' });
  cli.note(`\n${planLines(plan)}\n`);
  if (await askYesNo(cli, `Approve this plan of ${incident}?`)) return;
  throw new Failure('Cancelled', `${incident} was not approved, and goes on waiting`, { workflowId: incident });
}

interface DeclineOptions {
  readonly as?: string;
  readonly reason: string;
}

export function declineCommand(cli: Cli): Command {
  const command = new Command('decline')
    .description("decline an incident's plan: it ends, and changes nothing")
    .argument(...incidentArgument)
    .requiredOption('--reason <TEXT>', 'why, for its receipt')
    .option('--as <NAME>', 'who declines (default: the account on this machine)')
    .action(cli.action((incident: string, options: DeclineOptions) => decline(cli, incident, options)));
  return documented(command, {
    examples: ['./clawback decline cross-write/mac-1 --reason stopped-by-hand'],
    json: incidentFields,
  });
}

async function decline(cli: Cli, text: string, { as, reason }: DeclineOptions): Promise<Outcome> {
  const { fleet } = await cli.loadFleet();
  const incident = incidentIdOf(fleet.fleet, text, scenarios);
  return cli.withTemporal(async ({ client }) => {
    const told = await tellIncident(client, incident, ['decline', { by: as ?? ownName(), reason }]);
    return { ...incidentOutcome(told), exit: 'ok', text: `${incident} is declined` };
  });
}
