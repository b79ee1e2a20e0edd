// The one place where our failures become Temporal's. Only code, message, hint and the typed context pass; a
// library's own error text or stack never does, for it may quote what it worked on.

import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describeFailure, Failure, isRetryable } from '../domain/failure.ts';

/**
 * What an activity throws for an error of its body.
 * @param cancelled was the activity's own signal aborted? Then whatever broke, broke because of that.
 */
export function toApplicationFailure(error: unknown, cancelled: boolean): Error {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (cancelled) return new CancelledFailure('cancelled');
  const failure = error instanceof Failure ? error : unexpected(error);
  return ApplicationFailure.create({
    type: failure.code,
    nonRetryable: !isRetryable(failure.code),
    message: describeFailure(failure.code, failure.message),
    details: [failure.context],
  });
}

/** A defect: its class and place are told, its text is not. */
function unexpected(error: unknown): Failure {
  if (!(error instanceof Error)) return new Failure('Unexpected', 'something other than an error was thrown');
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
  const place = /\bsrc\/[\w/.-]+:\d+/.exec(error.stack ?? '')?.[0] ?? 'an unknown place';
  return new Failure('Unexpected', `${error.name}${code} at ${place}`);
}
