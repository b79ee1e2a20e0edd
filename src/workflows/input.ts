// Entry check of every workflow: a wrong object fails the workflow at once, readably and without retry.

import { ApplicationFailure } from '@temporalio/common';
import { type InputOf, type InputSchema, parseObject } from '../contract/parse-input.ts';
import { describeFailure } from '../domain/failure.ts';
import { Unreadable } from './unreadable.ts';

/** The parsed input. Throws InvalidInput (not retried) that names every wrong field. */
export function parseInput<S extends InputSchema>(schema: S, raw: unknown): InputOf<S> {
  if (raw instanceof Unreadable) throw invalid(`✖ it cannot be read: ${raw.reason}`, []);
  const parsed = parseObject(schema, raw);
  if (parsed.ok) return parsed.input;
  throw invalid(parsed.problems, parsed.issues);
}

function invalid(problems: string, issues: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'InvalidInput',
    nonRetryable: true,
    message: describeFailure('InvalidInput', `invalid input:\n${problems}`),
    details: [issues],
  });
}
