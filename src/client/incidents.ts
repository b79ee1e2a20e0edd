// Incidents from outside: opened once, looked at, approved, declined.

import {
  type Client,
  type WorkflowHandle,
  WorkflowIdConflictPolicy,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { IncidentState } from '../contract/incident-state.ts';
import { type ApproveInput, type DeclineInput, type HandDoneInput, incidentMessages } from '../contract/incidents.ts';
import { incidentId, queues, recoverWorkflows, searchAttributes } from '../contract/names.ts';
import type { Scenario } from '../domain/incident.ts';
import { Failure } from '../domain/failure.ts';
import { fromCause, toFailure } from './failures.ts';

type IncidentHandle = WorkflowHandle<() => Promise<IncidentState>>;

/** Of `recover*`, beside what a schema gives by default. */
export interface OpenIncidentRequest {
  readonly fleet: string;
  readonly scenario: Scenario;
  readonly subject: string;
  /** `host`, `lane` or `region` with the subject, and the rest of the workflow's input. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly dryRun: boolean;
}

/** Opens an incident; where one of this scenario and subject goes on, it is that one. A dry run is a run of its own. */
export async function openIncident(
  client: Client,
  { fleet, scenario, subject, input, dryRun }: OpenIncidentRequest,
): Promise<{ readonly handle: IncidentHandle; readonly isNew: boolean }> {
  const id = incidentId(fleet, scenario, subject);
  const workflowId = dryRun ? `plan-${id}/${crypto.randomUUID().slice(0, 8)}` : id;
  try {
    const before = await runOf(client, workflowId);
    const handle = (await client.workflow.start(recoverWorkflows[scenario], {
      taskQueue: queues.host,
      workflowId,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      args: [{ ...input, dryRun }],
      staticSummary: `${dryRun ? 'plan ' : ''}${scenario} ${subject}`,
      workflowTaskTimeout: '5s',
    })) as IncidentHandle;
    return { handle, isNew: (await runOf(client, workflowId)) !== before };
  } catch (error) {
    throw toFailure(error);
  }
}

/** The newest run under an id; undefined when there is none. */
async function runOf(client: Client, workflowId: string): Promise<string | undefined> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).runId;
  } catch {
    return undefined;
  }
}

/** InvalidInput when there is no such incident; needs a worker that answers. */
export async function readIncident(client: Client, workflowId: string): Promise<IncidentState> {
  try {
    return await client.workflow.getHandle(workflowId).query<IncidentState>(incidentMessages.incident);
  } catch (error) {
    throw toFailure(error);
  }
}

/** What it ended with. @throws Failure */
export async function endOfIncident(client: Client, workflowId: string): Promise<IncidentState> {
  try {
    return await client.workflow.getHandle<() => Promise<IncidentState>>(workflowId).result();
  } catch (error) {
    throw toFailure(error);
  }
}

type Tellings = {
  readonly approve: ApproveInput;
  readonly decline: DeclineInput;
  readonly handDone: Partial<HandDoneInput>;
};

/** @throws Failure ApprovalRefused, PlanStale, InvalidInput */
export async function tellIncident<K extends keyof Tellings>(
  client: Client,
  workflowId: string,
  [what, input]: readonly [K, Tellings[K]],
): Promise<IncidentState> {
  try {
    const handle = client.workflow.getHandle(workflowId);
    return await handle.executeUpdate<IncidentState, [Tellings[K]]>(incidentMessages[what], { args: [input] });
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw fromCause(error.cause);
    throw toFailure(error);
  }
}

export interface ListedIncident {
  readonly incident: string;
  readonly scenario: string;
  readonly subject: string;
  /** Temporal's: `RUNNING`, `COMPLETED`, … */
  readonly status: string;
  /** How it ended; null while it goes on. */
  readonly verdict: string | null;
  readonly startedAt: string;
  readonly closedAt: string | null;
}

const listed = 100;

/** The fleet's, newest first, at most 100. TemporalUnreachable. */
export async function listIncidents(client: Client, fleet: string): Promise<ListedIncident[]> {
  const types = Object.values(recoverWorkflows).map((name) => `'${name}'`);
  const prefix = `incident/${fleet}/`;
  try {
    const found: ListedIncident[] = [];
    for await (const run of client.workflow.list({ query: `WorkflowType IN (${types.join(', ')})` })) {
      if (!run.workflowId.startsWith(prefix)) continue;
      const [scenario = '', subject = ''] = run.workflowId.slice(prefix.length).split('/');
      found.push({
        incident: run.workflowId,
        scenario,
        subject,
        status: run.status.name,
        verdict: run.typedSearchAttributes.get(searchAttributes.verdict) ?? null,
        startedAt: run.startTime.toISOString(),
        closedAt: run.closeTime?.toISOString() ?? null,
      });
      if (found.length >= listed) break;
    }
    return found;
  } catch (error) {
    throw toFailure(error);
  }
}

/** The id of an incident, whole or as `SCENARIO/SUBJECT`. InvalidInput */
export function incidentIdOf(fleet: string, text: string, known: readonly Scenario[]): string {
  if (text.startsWith(`incident/${fleet}/`)) return text;
  const [first = '', subject = '', ...rest] = text.split('/');
  const scenario = known.find((one) => one === first);
  if (scenario !== undefined && subject !== '' && rest.length === 0) return incidentId(fleet, scenario, subject);
  const wanted = `incident/${fleet}/SCENARIO/SUBJECT, or SCENARIO/SUBJECT`;
  throw new Failure(
    'InvalidInput',
    `${JSON.stringify(text.slice(0, 80))} is no incident of this fleet: give ${wanted}`,
    {
      field: 'INCIDENT',
    },
  );
}
