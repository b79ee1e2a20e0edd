// What activities may ask the Temporal service: who polls a queue, and who holds a lane.

import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { workflowNames } from '../contract/names.ts';
import { type Keeper, movedMemo } from '../contract/placement.ts';
import type { WorkflowRun } from '../contract/receipt-types.ts';
import type { Holder } from '../contract/step-types.ts';

/** temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY */
const activityQueue = 2;

/** Has a worker polled this queue for activities of late (Temporal remembers five minutes)? */
export async function hasPoller(client: Client, queue: string): Promise<boolean> {
  const { namespace } = client.options;
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: activityQueue,
  });
  return (pollers ?? []).length > 0;
}

/** The running workflow of this id; null when none runs. */
export async function describeHolder(client: Client, workflowId: string): Promise<Holder | null> {
  try {
    const { status, memo, startTime, runId } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') return null;
    return {
      operation: operationOf(memo),
      startedAt: startTime.toISOString(),
      startedBy: runId,
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Of these ids, the workflows that run and keep where the lanes of a lost host are. */
export async function movedLanes(client: Client, workflowIds: readonly string[]): Promise<Keeper[]> {
  const found = await Promise.all(workflowIds.map((id) => keeper(client, id)));
  return found.filter((one) => one !== null);
}

async function keeper(client: Client, workflowId: string): Promise<Keeper | null> {
  try {
    const { status, type, memo, startTime } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING' || type !== workflowNames.keepMoved) return null;
    return { workflowId, startedAt: startTime.toISOString(), memo: memo?.[movedMemo] };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/**
 * How often each activity of a run was tried, for those that have ended: Temporal writes the event of an activity's start,
 * which has the attempt, together with that of its end.
 */
export async function activityAttempts(
  client: Client,
  { id, runId }: WorkflowRun,
): Promise<{ readonly eventId: number; readonly attempts: number }[]> {
  const { events } = await client.workflow.getHandle(id, runId).fetchHistory();
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started ? [{ eventId: Number(started.scheduledEventId), attempts: started.attempt ?? 1 }] : [],
  );
}

/** What a section says of itself in its memo (workflows/enter-section.ts). */
export function operationOf(memo: Record<string, unknown> | undefined): string {
  const operation = memo?.['operation'];
  return typeof operation === 'string' ? operation : 'an operation';
}
