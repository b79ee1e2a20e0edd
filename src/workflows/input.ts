// Entry check of every workflow: a wrong object fails the workflow at once, readably and without retry.

import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { describeFailure } from '../domain/failure.ts';

/** The parsed input. Throws InvalidInput (not retried) that names every wrong field. */
export function parseInput<S extends z.ZodType>(schema: S, raw: unknown): z.infer<S> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw ApplicationFailure.create({
    type: 'InvalidInput',
    nonRetryable: true,
    message: describeFailure('InvalidInput', `invalid input:\n${z.prettifyError(parsed.error)}`),
    details: [parsed.error.issues],
  });
}
