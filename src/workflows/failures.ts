// Failures inside workflows: ours are ApplicationFailures whose type is the code of the failure table.

import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/common';
import { isCancellation } from '@temporalio/workflow';
import {
  describeFailure,
  type FailureCode,
  type FailureContext,
  failureTable,
  isFailureCode,
} from '../domain/failure.ts';

/** A failure of a workflow's own making; never retried, for a workflow is not run again. */
export function workflowFailure(code: FailureCode, message: string, context: FailureContext = {}): ApplicationFailure {
  return ApplicationFailure.create({
    type: code,
    message: describeFailure(code, message),
    nonRetryable: true,
    details: [context],
  });
}

/** The failure below Temporal's wrappers: what the activity or child threw. A time-out keeps the step that it ended. */
function rootFailure(error: unknown): unknown {
  if (error instanceof ActivityFailure && error.cause instanceof TimeoutFailure)
    return timedOut(error.activityType, error.cause);
  if ((error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) && error.cause)
    return rootFailure(error.cause);
  return error;
}

/** Temporal's own text names neither the step nor what to do. */
function timedOut(step: string, { timeoutType }: TimeoutFailure): ApplicationFailure {
  switch (timeoutType) {
    case 'SCHEDULE_TO_START':
      return workflowFailure('NoPollers', `no worker took up the step ${step}`, { step });
    case 'HEARTBEAT':
      return workflowFailure('NoPollers', `the workers that ran the step ${step} fell silent`, { step });
    default:
      return workflowFailure('HostCommandTimeout', `the step ${step} did not end in time`, { step });
  }
}

/** The code of a failure, when it is one of the table. */
export function codeOf(error: unknown): FailureCode | undefined {
  if (isCancellation(error)) return 'Cancelled';
  const root = rootFailure(error);
  if (root instanceof ApplicationFailure && isFailureCode(root.type)) return root.type;
  return undefined;
}

/** What went wrong, without the hint: to be part of another message, which has its own. */
export function messageOf(error: unknown): string {
  const root = rootFailure(error);
  const message = root instanceof Error ? root.message : String(root);
  const code = codeOf(error);
  return code === undefined ? message : message.replace(`\nHINT: ${failureTable[code].hint}`, '');
}

/** Was the child ended without being asked? Then nothing of its clean-up has run. */
export function wasTerminated(error: unknown): boolean {
  return error instanceof ChildWorkflowFailure && error.cause instanceof TerminatedFailure;
}

/** What a parent throws for a failed child or step: the failure itself, so that the operator reads the cause first. */
export function asOwnFailure(error: unknown): unknown {
  if (isCancellation(error)) return error;
  const code = codeOf(error);
  const root = rootFailure(error);
  if (code === undefined || !(root instanceof ApplicationFailure)) return error;
  return ApplicationFailure.create({
    type: code,
    message: root.message,
    nonRetryable: true,
    details: root.details ?? [],
  });
}

/** The first failure, and that cleaning up after it failed too. A cancellation stays one. */
export function andAlso(cause: unknown, what: string, error: unknown): unknown {
  const code = codeOf(cause);
  if (code === undefined || isCancellation(cause)) return cause;
  return workflowFailure(code, `${messageOf(cause)}; and ${what}: ${messageOf(error)}`);
}
