// Temporal's errors back into ours, so that the CLI's exit status and hint come from the failure table.

import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common';
import { Failure, failureTable, isFailureCode } from '../domain/failure.ts';

/** The failure that a finished workflow ended with; anything unknown is Unexpected. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof WorkflowNotFoundError) return new Failure('InvalidInput', `there is no workflow ${error.workflowId}`, { workflowId: error.workflowId });
  if (error instanceof WorkflowFailedError) return fromCause(error.cause);
  const message = error instanceof Error ? error.message : String(error);
  return new Failure('Unexpected', message, {}, { cause: error });
}

function fromCause(cause: unknown): Failure {
  if (cause instanceof CancelledFailure) return new Failure('Cancelled', 'the workflow was cancelled');
  if (cause instanceof TerminatedFailure) return new Failure('LaneUnsettled', 'the workflow was terminated; its lane is put right within a minute while a worker runs');
  if (cause instanceof ApplicationFailure && isFailureCode(cause.type)) {
    return new Failure(cause.type, withoutHint(cause.message, failureTable[cause.type].hint));
  }
  if (cause instanceof Error && cause.cause) return fromCause(cause.cause);
  return new Failure('Unexpected', cause instanceof Error ? cause.message : String(cause));
}

/** The hint is added again where the failure is shown. */
function withoutHint(message: string, hint: string): string {
  return message.replace(`\nHINT: ${hint}`, '');
}
