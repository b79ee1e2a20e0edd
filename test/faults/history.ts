// What Temporal's history says of an operation: which segments were sent again although they were finished, and how
// soon a step went on after the worker that ran it had died.

import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Fired } from './fault-folder.ts';

export interface ActivityRun {
  readonly activity: string;
  readonly input: unknown;
  readonly completed: boolean;
  /** Of the last attempt; 0 when none has begun. */
  readonly attempt: number;
  readonly startedAtMs: number;
}

/** All activities of a workflow, of the runs that it goes on in and of the workflows below it, as they were scheduled. */
export async function activitiesOf(client: Client, workflowId: string, runId?: string): Promise<ActivityRun[]> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const runs = new Map<number, ActivityRun>();
  const below: ActivityRun[] = [];
  for (const event of events ?? []) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      const [payload] = scheduled.input?.payloads ?? [];
      const input: unknown = payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
      const activity = scheduled.activityType?.name ?? '';
      runs.set(Number(event.eventId), { activity, input, completed: false, attempt: 0, startedAtMs: 0 });
    }
    const started = event.activityTaskStartedEventAttributes;
    if (started)
      change(runs, Number(started.scheduledEventId), { attempt: started.attempt ?? 1, startedAtMs: timeOf(event) });
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed) change(runs, Number(completed.scheduledEventId), { completed: true });
    const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
    if (child?.workflowId) below.push(...(await activitiesOf(client, child.workflowId, child.runId ?? undefined)));
    const next = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    if (next) below.push(...(await activitiesOf(client, workflowId, next)));
  }
  return [...runs.values(), ...below];
}

function change(runs: Map<number, ActivityRun>, id: number, changed: Partial<ActivityRun>): void {
  const run = runs.get(id);
  if (run) runs.set(id, { ...run, ...changed });
}

function timeOf({ eventTime }: { eventTime?: { seconds?: unknown; nanos?: number | null } | null }): number {
  return Number(eventTime?.seconds ?? 0) * 1000 + (eventTime?.nanos ?? 0) / 1e6;
}

/**
 * Finished segments that were scheduled once more; and, in the store, objects beyond the attempts that may have made
 * them (a put whose answer was lost is abandoned, and counts as an attempt).
 */
export function resentSegments(runs: readonly ActivityRun[], stored: ReadonlyMap<string, number>): number {
  const finished = new Set<string>();
  const attempts = new Map<string, number>();
  let again = 0;
  for (const { activity, input, completed, attempt } of runs) {
    const key = segmentOf(activity, input);
    if (key === undefined) continue;
    if (finished.has(`${activity} ${key}`)) again += 1;
    if (completed) finished.add(`${activity} ${key}`);
    attempts.set(key, (attempts.get(key) ?? 0) + Math.max(attempt, 1));
  }
  const surplus = [...stored].reduce((sum, [key, count]) => sum + Math.max(0, count - (attempts.get(key) ?? count)), 0);
  return again + surplus;
}

function segmentOf(activity: string, input: unknown): string | undefined {
  const { segment } = (input ?? {}) as { segment?: { fingerprint?: string; bundle?: string; id: string } };
  if (activity === 'backupSegment') return segment?.fingerprint;
  if (activity === 'stageSegment') return `${segment?.bundle} ${segment?.id}`;
  return undefined;
}

/** From the death to the start of the next attempt, ms; null when the activity was not tried again. */
export function resumedAfterMs(runs: readonly ActivityRun[], activity: string, fired: Fired): number | null {
  const next = runs.find(
    (run) => run.activity === activity && run.attempt > fired.attempt && run.startedAtMs >= fired.atMs,
  );
  return next ? Math.round(next.startedAtMs - fired.atMs) : null;
}
