// Follows an incident: what it does, as it changes, until it ends or waits for somebody who is not here.

import { userInfo } from 'node:os';
import type { Temporal } from '../client/connection.ts';
import { endOfIncident, readIncident, tellIncident } from '../client/incidents.ts';
import type { IncidentState } from '../contract/incident-state.ts';
import type { ExitName } from '../domain/failure.ts';
import { Failure } from '../domain/failure.ts';
import { askYesNo } from './ask.ts';
import type { Cli, Outcome } from './cli.ts';
import { incidentText, planLines } from './incident-text.ts';

const pollMs = 1_000;

export interface FollowIncident {
  readonly incident: string;
  /** Approve its plan without a question. */
  readonly yes: boolean;
  readonly as: string | undefined;
}

/** Whose word it is when nobody says. */
export function ownName(): string {
  return userInfo().username;
}

/** @throws Failure what it ended with; Detached after Ctrl-C: it goes on without us */
export async function followIncident(cli: Cli, temporal: Temporal, request: FollowIncident): Promise<Outcome> {
  const { client } = temporal;
  const { incident } = request;
  let said = '';
  for (;;) {
    const state = await readIncident(client, incident);
    const line = state.doing === '' ? state.phase : `${state.phase}: ${state.doing}`;
    if (line !== said) cli.note(line);
    said = line;
    if (state.endedAt !== null) return incidentOutcome(await endOfIncident(client, incident));
    if (isAskingNow(state) && !(await decide(cli, temporal, state, request))) return incidentOutcome(state);
    if (await interrupted(cli))
      throw new Failure('Detached', `detached: ${incident} goes on without you`, { workflowId: incident });
  }
}

function isAskingNow({ phase, hand }: IncidentState): boolean {
  return phase === 'awaiting-approval' || hand !== null;
}

/** False when it waits for somebody else. */
async function decide(
  cli: Cli,
  { client }: Temporal,
  state: IncidentState,
  { yes, as }: FollowIncident,
): Promise<boolean> {
  const { plan, incident, approvers, hand } = state;
  if (plan === null || hand !== null || approvers.length > 0) return false;
  cli.note(`\n${planLines(plan)}\n`);
  if (!yes && !(cli.canAsk && (await askYesNo(cli, `Approve this plan of ${incident}?`)))) return false;
  await tellIncident(client, incident, ['approve', { digest: plan.digest, by: as ?? ownName(), waiveFence: false }]);
  return true;
}

function interrupted({ around }: Cli): Promise<boolean> {
  return new Promise((resolve) => setTimeout(() => resolve(around.interrupts.signal.aborted), pollMs));
}

const exits = {
  recovered: 'ok',
  planned: 'ok',
  closed: 'ok',
  declined: 'refused',
  failed: 'failed',
  cancelled: 'interrupted',
} as const satisfies Partial<Record<IncidentState['phase'], ExitName>>;

/** `attention` while it waits for somebody. */
export function incidentOutcome(state: IncidentState): Outcome {
  const { phase } = state;
  const exit: ExitName = phase in exits ? exits[phase as keyof typeof exits] : 'attention';
  return { json: { ...state }, text: incidentText(state), exit };
}
