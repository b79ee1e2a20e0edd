import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { toApplicationFailure } from '../../../src/activities/failures.ts';
import { Failure, failureTable, type FailureCode, nonRetryableCodes } from '../../../src/domain/failure.ts';

function translated(error: unknown, cancelled = false): ApplicationFailure {
  const failure = toApplicationFailure(error, cancelled);
  if (!(failure instanceof ApplicationFailure)) throw new Error(`not an ApplicationFailure: ${failure.name}`);
  return failure;
}

describe('failures of activities', () => {
  it('carry code, hint and context, and are retried exactly when the table says so', () => {
    for (const code of Object.keys(failureTable) as FailureCode[]) {
      const failure = translated(new Failure(code, 'what happened', { lane: 'lane-1' }));
      expect(failure.type).toBe(code);
      expect(failure.nonRetryable).toBe(nonRetryableCodes.includes(code));
      expect(failure.message).toBe(`what happened\nHINT: ${failureTable[code].hint}`);
      expect(failure.details).toEqual([{ lane: 'lane-1' }]);
      expect(failure.cause).toBeUndefined();
    }
  });

  it('never pass on the text of an error that is not ours', () => {
    const secret = 'sk-canary-0123456789';
    const error = Object.assign(new TypeError(`cannot parse ${secret}`), { code: 'ERR_ODD' });
    const failure = translated(error);
    expect(failure.type).toBe('Unexpected');
    expect(JSON.stringify([failure.message, failure.details, failure.stack])).not.toContain(secret);
    expect(failure.message).toMatch(/^TypeError ERR_ODD at (an unknown place|src\/)/);
  });

  it('name the place of a defect in our own code', () => {
    const error = new Error('x');
    error.stack = 'Error: x\n    at f (file:///somewhere/src/lane/tar.ts:12:3)';
    expect(translated(error).message).toMatch(/^Error at src\/lane\/tar\.ts:12\n/);
  });

  it('take a thrown value that is no error for a defect', () => {
    expect(translated('boom').message).toMatch(/^something other than an error was thrown/);
  });

  it('are cancellations when the activity was cancelled, whatever broke because of it', () => {
    expect(toApplicationFailure(new Error('socket closed'), true)).toBeInstanceOf(CancelledFailure);
    expect(toApplicationFailure(new CancelledFailure('stop'), false)).toBeInstanceOf(CancelledFailure);
  });

  it('pass a Temporal failure on as it is', () => {
    const failure = ApplicationFailure.create({ type: 'X' });
    expect(toApplicationFailure(failure, false)).toBe(failure);
  });
});
