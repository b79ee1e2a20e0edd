// Which worker did what in a run: from the histories of the run, of the workflows that it started, and of their sections.

import type { Client } from '@temporalio/client';
import { toFailure } from './failures.ts';

export interface WorkShares {
  /** Activities by the worker that did them last, as it names itself to Temporal: `<pid>@<machine>`. */
  readonly activitiesByWorker: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly scheduled: number;
  /** Of these; the others failed or were cancelled. None is completed twice: Temporal takes one answer of each. */
  readonly completed: number;
  /** Of these, done at a second attempt or later: the first worker died or failed. */
  readonly retried: number;
}

type Handle = ReturnType<Client['workflow']['getHandle']>;
type Event = NonNullable<Awaited<ReturnType<Handle['fetchHistory']>>['events']>[number];

/** Run, lane workflow, section. */
const depth = 3;

/** TemporalUnreachable. May be called while the run goes on: it tells what was done until now. */
export async function readWorkShares(client: Client, workflowId: string): Promise<WorkShares> {
  try {
    return summed(await eventsOf(client, client.workflow.getHandle(workflowId), depth));
  } catch (error) {
    throw toFailure(error);
  }
}

/** The activities of one history and of all below it. */
async function eventsOf(client: Client, handle: Handle, levels: number): Promise<readonly Event[][]> {
  const events = (await handle.fetchHistory()).events ?? [];
  if (levels === 1) return [events];
  const children = events.flatMap(({ childWorkflowExecutionStartedEventAttributes: started }) => {
    const { workflowId, runId } = started?.workflowExecution ?? {};
    return workflowId && runId ? [client.workflow.getHandle(workflowId, runId)] : [];
  });
  const below = await Promise.all(children.map((child) => eventsOf(client, child, levels - 1)));
  return [events, ...below.flat()];
}

function summed(histories: readonly (readonly Event[])[]): WorkShares {
  const byWorker: Record<string, Record<string, number>> = {};
  const counts = { scheduled: 0, completed: 0, retried: 0 };
  for (const events of histories) {
    const types = new Map<string, string>();
    for (const event of events) {
      const scheduled = event.activityTaskScheduledEventAttributes;
      if (scheduled) {
        counts.scheduled += 1;
        types.set(String(event.eventId), scheduled.activityType?.name ?? '');
      }
      const started = event.activityTaskStartedEventAttributes;
      if (started) {
        const own = (byWorker[started.identity ?? ''] ??= {});
        const type = types.get(String(started.scheduledEventId)) ?? '';
        own[type] = (own[type] ?? 0) + 1;
        if ((started.attempt ?? 1) > 1) counts.retried += 1;
      }
      if (event.activityTaskCompletedEventAttributes) counts.completed += 1;
    }
  }
  return { activitiesByWorker: byWorker, ...counts };
}
