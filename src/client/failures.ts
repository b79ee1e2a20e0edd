// Temporal's errors back into ours, so that the CLI's exit status and hint come from the failure table.

import { isGrpcServiceError, ServiceError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common';
import { Failure, type FailureContext, failureTable, isFailureCode } from '../domain/failure.ts';

/** grpc.status: CANCELLED, DEADLINE_EXCEEDED and UNAVAILABLE: nobody answered, nothing was refused. */
const unanswered: readonly number[] = [1, 4, 14];

/** The failure that a finished workflow ended with; anything unknown is Unexpected. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof WorkflowNotFoundError) {
    return new Failure('InvalidInput', `there is no workflow ${error.workflowId}`, { workflowId: error.workflowId });
  }
  if (error instanceof WorkflowFailedError) return fromCause(error.cause);
  if (isUnanswered(error))
    return new Failure('TemporalUnreachable', 'Temporal does not answer any more', {}, { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new Failure('Unexpected', message, {}, { cause: error });
}

/** Did the service stay silent, as against refusing? */
export function isUnanswered(error: unknown): boolean {
  const inner = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(inner) && unanswered.includes(inner.code);
}

/** What an update or a workflow failed with, below Temporal's wrapper. */
export function fromCause(cause: unknown): Failure {
  if (cause instanceof CancelledFailure) return new Failure('Cancelled', 'the workflow was cancelled');
  if (cause instanceof TerminatedFailure) {
    return new Failure(
      'LaneUnsettled',
      'the workflow was terminated; its lane is put right within a minute while a worker runs',
    );
  }
  if (cause instanceof ApplicationFailure && isFailureCode(cause.type)) {
    return new Failure(cause.type, withoutHint(cause.message, failureTable[cause.type].hint), contextOf(cause));
  }
  if (cause instanceof Error && cause.cause) return fromCause(cause.cause);
  return new Failure('Unexpected', cause instanceof Error ? cause.message : String(cause));
}

/** Activities put the typed context into the details (activities/failures.ts). */
function contextOf({ details }: ApplicationFailure): FailureContext {
  const [context] = details ?? [];
  return typeof context === 'object' && context !== null ? context : {};
}

/** The hint is added again where the failure is shown. */
function withoutHint(message: string, hint: string): string {
  return message.replace(`\nHINT: ${hint}`, '');
}
