// `approve INCIDENT` and `decline INCIDENT`: somebody's word on an incident's plan. Where the fleet file lists approvers it
// is signed here, by ssh-keygen, with a key that never leaves this machine.

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { incidentIdOf, readIncident, tellIncident } from '../../client/incidents.ts';
import type { RecoveryPlan } from '../../contract/incident-plan.ts';
import type { IncidentState } from '../../contract/incident-state.ts';
import { Failure } from '../../domain/failure.ts';
import { approvalNamespace, approvalText, scenarios } from '../../domain/incident.ts';
import { signBySsh } from '../../signing/ssh-signature.ts';
import { askYesNo } from '../ask.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { incidentOutcome, ownName } from '../follow-incident.ts';
import { planLines } from '../incident-text.ts';
import { parseDuration, parsePath, parseWorkflowId } from '../parse.ts';
import { incidentFields } from './recover.ts';

interface Options {
  readonly as?: string;
  readonly key?: string;
  readonly expires: number;
  readonly waiveFence?: true;
  readonly yes?: true;
}

const incidentArgument = ['<INCIDENT>', 'its id, or SCENARIO/SUBJECT', parseWorkflowId('INCIDENT')] as const;
const defaultExpiryMs = 3_600_000;

export function approveCommand(cli: Cli): Command {
  const command = new Command('approve')
    .description("approve an incident's plan, and just that one")
    .argument(...incidentArgument)
    .option('--as <NAME>', 'who approves (default: the account on this machine)')
    .option('--key <FILE>', "the approver's SSH key (default: ~/.ssh/id_ed25519)", parsePath('--key'))
    .option('--expires <DURATION>', 'until when a signature counts', parseDuration('--expires'), defaultExpiryMs)
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
    const signed = state.approvers.length === 0 ? {} : await signature(cli, { ...state, plan }, by, options);
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

async function signature(
  cli: Cli,
  { incident, runId, plan, approvers }: IncidentState & { readonly plan: RecoveryPlan },
  by: string,
  { key, expires, waiveFence = false }: Omit<Options, 'waiveFence'> & { readonly waiveFence?: boolean },
): Promise<{ readonly signature: string; readonly expires: string }> {
  if (!approvers.includes(by))
    throw new Failure(
      'ApprovalRefused',
      `${by} is none of the approvers: ${approvers.join(', ')}; say who you are with --as`,
    );
  const until = new Date(Date.now() + expires).toISOString();
  const text = approvalText({ workflowId: incident, runId, digest: plan.digest, by, expires: until, waiveFence });
  const file = key === undefined ? join(homedir(), '.ssh', 'id_ed25519') : resolve(cli.around.cwd, key);
  return { signature: await signBySsh({ text, namespace: approvalNamespace }, file), expires: until };
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
