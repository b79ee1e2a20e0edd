// An incident as it is when it has just been opened.

import { workflowInfo } from '@temporalio/workflow';
import type { IncidentState } from '../contract/incident-state.ts';
import type { IncidentCommon } from '../contract/incidents.ts';
import { type Scenario, subjectKinds } from '../domain/incident.ts';

export interface About {
  readonly scenario: Scenario;
  readonly subject: string;
  readonly lanes?: readonly string[] | undefined;
}

export function opened({ scenario, subject }: About, { openedBy, signal, rehearse }: IncidentCommon): IncidentState {
  const { workflowId, runId, startTime } = workflowInfo();
  const openedAt = startTime.toISOString();
  return {
    incident: workflowId,
    runId,
    fleet: workflowId.split('/')[1] ?? '',
    scenario,
    subject,
    phase: 'planning',
    doing: `reading what the fleet file says of the ${subjectKinds[scenario]}`,
    openedBy,
    rehearsal: rehearse,
    openedAt,
    endedAt: null,
    since: signal?.since ?? openedAt,
    signal: signal ?? null,
    clearedAt: null,
    plan: null,
    approvers: [],
    approval: null,
    declined: null,
    reminders: 0,
    hand: null,
    hands: [],
    brought: [],
    rto: { ms: null, budgetMs: null, over: false, waitingMs: 0, provisioningMs: 0 },
    outcome: null,
    code: null,
    message: null,
    next: null,
    receipt: null,
    warnings: [],
  };
}
