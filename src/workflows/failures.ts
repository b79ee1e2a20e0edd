// Failures inside workflows: ours are ApplicationFailures whose type is the code of the failure table.

import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TerminatedFailure } from '@temporalio/common';
import { isCancellation } from '@temporalio/workflow';
import { describeFailure, type FailureCode, type FailureContext, isFailureCode } from '../domain/failure.ts';

/** A failure of a workflow's own making; never retried, for a workflow is not run again. */
export function workflowFailure(code: FailureCode, message: string, context: FailureContext = {}): ApplicationFailure {
  return ApplicationFailure.create({
    type: code,
    message: describeFailure(code, message),
    nonRetryable: true,
    details: [context],
  });
}

/** The failure below Temporal's wrappers: what the activity or child threw. */
export function rootFailure(error: unknown): unknown {
  if ((error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) && error.cause)
    return rootFailure(error.cause);
  return error;
}

/** The code of a failure, when it is one of the table. */
export function codeOf(error: unknown): FailureCode | undefined {
  if (isCancellation(error)) return 'Cancelled';
  const root = rootFailure(error);
  if (root instanceof ApplicationFailure && isFailureCode(root.type)) return root.type;
  return undefined;
}

export function messageOf(error: unknown): string {
  const root = rootFailure(error);
  return root instanceof Error ? root.message : String(root);
}

/** Was the child ended without being asked? Then nothing of its clean-up has run. */
export function wasTerminated(error: unknown): boolean {
  return error instanceof ChildWorkflowFailure && error.cause instanceof TerminatedFailure;
}

/** What a parent throws for a failed child: the child's own failure, so that the operator reads the cause first. */
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
