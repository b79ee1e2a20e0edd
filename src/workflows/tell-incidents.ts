// Opens incidents, each once, for their ids say what they are about; and tells those whose signal is gone. One that cannot
// be opened is tried again by the next run; one that has ended is opened again when its signal is still there after a while,
// which is how an operator is reminded of it.

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { getExternalWorkflowHandle, isCancellation, log, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { incidentMessages } from '../contract/incidents.ts';
import { incidentId, recoverWorkflows, searchAttributes } from '../contract/names.ts';
import type { WatchFleetInput, WatchPlan } from '../contract/watch-types.ts';
import { subjectKinds } from '../domain/incident.ts';
import { seenOpen } from '../domain/judge-signals.ts';
import type { Finding, SignalMemory, Verdict, WatchMemory } from '../domain/signals.ts';
import { inParallel } from './in-parallel.ts';
import { host } from './steps.ts';

const incidentsAtOnce = 20;

/** Which incidents that it opened go on: somebody who declined one is not asked again the minute after. */
export async function lookAtIncidents({ fleet }: WatchPlan, earlier: WatchMemory): Promise<WatchMemory> {
  const told = earlier.signals.filter(({ openedAtMs }) => openedAtMs !== undefined);
  const open = await inParallel(told, incidentsAtOnce, async (signal) =>
    (await goesOn(fleet, signal)) ? [signal] : [],
  );
  const known = new Set(open.flat());
  return seenOpen(earlier, Date.now(), (signal) => known.has(signal as SignalMemory));
}

async function goesOn(fleet: string, { scenario, subject }: SignalMemory): Promise<boolean> {
  return (await host.describeHolder({ workflowId: incidentId(fleet, scenario, subject) })) !== null;
}

/** @returns ids of the incidents that were opened now */
export async function tellIncidents(
  { fleet }: WatchPlan,
  { open, cleared }: Verdict,
  input: WatchFleetInput,
): Promise<string[]> {
  const opened: string[] = [];
  for (const finding of open) if (await openIncident(fleet, finding, input)) opened.push(idOf(fleet, finding));
  for (const { scenario, subject } of cleared) await tellCleared(incidentId(fleet, scenario, subject));
  return opened;
}

function idOf(fleet: string, { scenario, subject }: Finding): string {
  return incidentId(fleet, scenario, subject);
}

async function openIncident(fleet: string, finding: Finding, { rehearse }: WatchFleetInput): Promise<boolean> {
  const { scenario, subject, code, sinceMs, text, lanes } = finding;
  const kind = subjectKinds[scenario];
  try {
    await startChild(recoverWorkflows[scenario], {
      workflowId: idOf(fleet, finding),
      args: [
        {
          [kind]: subject,
          ...(scenario === 'cross-write' && lanes !== undefined ? { lanes } : {}),
          openedBy: 'watch',
          ...(rehearse ? { rehearse } : {}),
          signal: { code, since: new Date(sinceMs).toISOString(), text: text.slice(0, 200) },
        },
      ],
      staticSummary: `${scenario} on ${subject}`,
      typedSearchAttributes: [
        { key: searchAttributes.scenario, value: scenario },
        ...(kind === 'region' ? [] : [{ key: searchAttributes[kind], value: subject }]),
      ],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout: '5s',
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** One that was never opened, or has ended, need not hear it. */
async function tellCleared(workflowId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(incidentMessages.cleared, {
      at: new Date(Date.now()).toISOString(),
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.info('a signal cleared whose incident is not open', { workflowId });
  }
}
