// How far a started workflow is: its section's progress, and what running activities told with their last heartbeat
// or failure. Anything that cannot be read now is simply absent; nothing here fails a follower.

import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { laneSectionId } from '../contract/names.ts';
import { operationOf } from './temporal-view.ts';
import { type Progress, progressQuery } from '../contract/results.ts';

export interface Following {
  readonly progress?: Progress;
  /** Bytes of the segments that are under way now. */
  readonly bytesInFlight: number;
  /** The lane's section belongs to another workflow, which this one waits for. */
  readonly heldBy?: { readonly workflowId: string; readonly operation: string; readonly startedAt: string };
  /** Activities that have failed at least once and are tried again. */
  readonly retrying: readonly { readonly step: string; readonly attempt: number; readonly message: string }[];
  /** What no worker has taken up yet: `the workflow` itself, or activities by name. */
  readonly waiting: readonly string[];
  /** Temporal did not answer this time. */
  readonly silent: boolean;
}

/** What is followed: the workflow that was started, and the lane whose section it enters. */
export interface Followed {
  readonly fleet: string;
  readonly lane: string;
  readonly workflowId: string;
  /** It enters no section: its progress is its own. */
  readonly isSectionless?: boolean;
}

type RawDescription = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>>['raw'];
type PendingActivity = NonNullable<RawDescription['pendingActivities']>[number];

/** A query needs a worker: without one it would stand for ten seconds. */
const askMs = 3_000;
/** Before anything was seen. */
export const nothingSeen: Following = { bytesInFlight: 0, retrying: [], waiting: [], silent: false };

/** A snapshot; never throws. */
export async function readProgress(client: Client, followed: Followed): Promise<Following> {
  try {
    return await client.connection.withDeadline(Date.now() + askMs, () => read(client, followed));
  } catch (error) {
    // before its section starts, a workflow's own activities may wait or fail
    if (error instanceof WorkflowNotFoundError) return ownActivities(client, followed);
    return { ...nothingSeen, silent: true };
  }
}

async function read(client: Client, { fleet, lane, workflowId, isSectionless }: Followed): Promise<Following> {
  const handle = client.workflow.getHandle(isSectionless ? workflowId : laneSectionId(fleet, lane));
  const { raw, status, startTime, memo, parentExecution } = await handle.describe();
  const starter = parentExecution?.workflowId;
  const isOwn = starter === workflowId || handle.workflowId === workflowId;
  if (status.name !== 'RUNNING') return ownActivities(client, { workflowId });
  if (!isOwn) {
    const heldBy = {
      workflowId: starter ?? handle.workflowId,
      operation: operationOf(memo),
      startedAt: startTime.toISOString(),
    };
    return { ...nothingSeen, heldBy };
  }
  const progress = await handle.query<Progress>(progressQuery).catch(absentIfSilent);
  return { ...pendingOf(raw), ...(progress ? { progress } : {}), silent: false };
}

/** A query that no worker answers says nothing about Temporal. */
function absentIfSilent(error: unknown): undefined {
  if (isGrpcServiceError(error) || error instanceof Error) return undefined;
  throw error;
}

/** What waits or fails in the workflow itself, before it has started others. */
export async function ownActivities(client: Client, { workflowId }: Pick<Followed, 'workflowId'>): Promise<Following> {
  try {
    const { raw } = await client.connection.withDeadline(Date.now() + askMs, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    return { ...pendingOf(raw), silent: false };
  } catch {
    return { ...nothingSeen, silent: true };
  }
}

function pendingOf(raw: RawDescription): Pick<Following, 'bytesInFlight' | 'retrying' | 'waiting'> {
  const pending = raw.pendingActivities ?? [];
  return {
    bytesInFlight: pending.reduce((sum, activity) => sum + bytesOf(activity), 0),
    retrying: pending
      .filter((activity) => activity.lastFailure)
      .map((activity) => ({
        step: stepOf(activity),
        attempt: activity.attempt ?? 1,
        message: activity.lastFailure?.message?.split('\n')[0] ?? '',
      })),
    waiting: [
      ...(raw.pendingWorkflowTask?.state === scheduled ? ['the workflow'] : []),
      ...pending.filter((activity) => activity.state === scheduled && !activity.lastFailure).map(stepOf),
    ],
  };
}

/** PENDING_ACTIVITY_STATE_SCHEDULED and PENDING_WORKFLOW_TASK_STATE_SCHEDULED of temporal.api.enums.v1 */
const scheduled = 1;

function stepOf(activity: PendingActivity): string {
  return activity.activityType?.name ?? 'a step';
}

function bytesOf(activity: PendingActivity): number {
  const payload = activity.heartbeatDetails?.payloads?.[0];
  if (!payload) return 0;
  return defaultPayloadConverter.fromPayload<{ bytes?: number }>(payload).bytes ?? 0;
}
