// A workflow that was started, by whomever: what it is, its end, its cancellation. For followers, which may come late.

import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { searchAttributes } from '../contract/names.ts';
import { Failure } from '../domain/failure.ts';
import { isUnanswered, toFailure } from './failures.ts';

export interface RunDescription {
  readonly workflowId: string;
  readonly type: string;
  /** `RUNNING`, `COMPLETED`, `FAILED`, `CANCELLED`, `TERMINATED`, … */
  readonly status: string;
  readonly startedAt: string;
  readonly closedAt: string | null;
  /** The lane it works on; null for one that works on none. */
  readonly lane: string | null;
}

/** A followed workflow: what {@link awaitResult} takes. */
export interface Run<R = unknown> {
  readonly workflowId: string;
  result(): Promise<R>;
}

/** InvalidInput when there is no such workflow. */
export async function describeRun(client: Client, workflowId: string): Promise<RunDescription> {
  try {
    const { type, status, startTime, closeTime, typedSearchAttributes } = await client.workflow
      .getHandle(workflowId)
      .describe();
    const lane = typedSearchAttributes.get(searchAttributes.lane) ?? laneOfId(workflowId);
    return {
      workflowId,
      type,
      status: status.name,
      startedAt: startTime.toISOString(),
      closedAt: closeTime?.toISOString() ?? null,
      lane,
    };
  } catch (error) {
    throw toFailure(error);
  }
}

/** Ids of ours name their lane: `lane/<fleet>/<lane>`, `backup/<lane>/<time>` (start.ts). */
function laneOfId(workflowId: string): string | null {
  const [kind, second = null, third = null] = workflowId.split('/');
  if (kind === 'lane') return third;
  return [
    'backup',
    'restore',
    'plan-restore',
    'undo',
    'upgrade',
    'plan-upgrade',
    'sweep',
    'expire',
    'plan-expire',
    'replicate',
    'verify',
  ].includes(kind ?? '')
    ? second
    : null;
}

export function attachRun(client: Client, workflowId: string): Run {
  return client.workflow.getHandle(workflowId);
}

/** Asks a workflow to end; it puts its lane right first. InvalidInput when there is no such one, or it has ended. */
export async function cancelRun(client: Client, workflowId: string): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).cancel();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw new Failure('InvalidInput', `no workflow ${workflowId} is running`, { workflowId });
    throw toFailure(error);
  }
}

const againMs = 2_000;

/**
 * A run's result, waited for as long as it takes.
 * @param silenceMs how long Temporal may stay silent before TemporalUnreachable; it may come back meanwhile
 * @throws Failure what the run ended with, or TemporalUnreachable
 */
export async function awaitResult<R>(run: Run<R>, silenceMs: number): Promise<R> {
  let silentSinceMs: number | undefined;
  for (;;) {
    const askedAtMs = Date.now();
    try {
      return await run.result();
    } catch (error) {
      if (!isUnanswered(error)) throw toFailure(error);
      // a long poll that stood for a while was answered at its start
      if (Date.now() - askedAtMs > silenceMs) silentSinceMs = undefined;
      silentSinceMs ??= Date.now();
      if (Date.now() - silentSinceMs > silenceMs) throw toFailure(error);
      await new Promise((resolve) => setTimeout(resolve, againMs));
    }
  }
}
