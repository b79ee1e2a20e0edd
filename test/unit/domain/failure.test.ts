import { describe, expect, it } from 'vitest';
import {
  describeFailure,
  exitStatus,
  exitStatusOf,
  Failure,
  type FailureCode,
  failureTable,
  isFailure,
  isFailureCode,
  isRetryable,
  nonRetryableCodes,
} from '../../../src/domain/failure.ts';

const codes = Object.keys(failureTable) as FailureCode[];

describe('the failure table', () => {
  it.each(codes)('%s has a name in one style, a meaning, a hint and an exit status', (code) => {
    const { meaning, hint, exit } = failureTable[code];
    expect(code).toMatch(/^[A-Z][a-z]+(?:[A-Z][a-z]+)*$/);
    for (const text of [meaning, hint]) expect(text).toMatch(/^\S.*[^.\s]$/);
    expect(exitStatusOf(code)).toBe(exitStatus[exit]);
    expect(exitStatusOf(code)).toBeGreaterThan(0);
  });

  it('splits into what Temporal may retry and what it may not', () => {
    expect([...nonRetryableCodes, ...codes.filter(isRetryable)].toSorted()).toEqual(codes.toSorted());
    expect(nonRetryableCodes.some(isRetryable)).toBe(false);
    expect(nonRetryableCodes).toContain('InvalidInput');
    expect(isRetryable('HostUnreachable')).toBe(true);
  });

  it('never retries what is damaged, refused or wrong in the input', () => {
    const retried = codes.filter(
      (code) => ['damaged', 'refused', 'input'].includes(failureTable[code].exit) && isRetryable(code),
    );
    expect(retried).toEqual([]);
  });

  it('uses each exit status for one meaning', () => {
    const statuses = Object.values(exitStatus);
    expect(new Set(statuses).size).toBe(statuses.length);
    expect(statuses.every((status) => status >= 0 && status < 256)).toBe(true);
  });
});

describe('a failure', () => {
  const cause = new Error('below');
  const failure = new Failure('LaneBusy', 'lane lane-1 is held', { lane: 'lane-1', count: 1 }, { cause });

  it('carries code, message, context and cause', () => {
    expect(failure).toMatchObject({
      name: 'Failure',
      code: 'LaneBusy',
      message: 'lane lane-1 is held',
      context: { lane: 'lane-1', count: 1 },
      cause,
    });
    expect(new Failure('Cancelled', 'stopped').context).toEqual({});
  });

  it('is told from other errors, and from failures of another code', () => {
    expect(isFailure(failure)).toBe(true);
    expect(isFailure(failure, 'LaneBusy')).toBe(true);
    expect(isFailure(failure, 'Cancelled')).toBe(false);
    expect(isFailure(cause)).toBe(false);
    expect(isFailure(undefined)).toBe(false);
  });

  it('is described with what to do next', () => {
    expect(describeFailure('LaneBusy', 'lane lane-1 is held')).toBe(
      `lane lane-1 is held\nHINT: ${failureTable.LaneBusy.hint}`,
    );
  });
});

describe('a text', () => {
  it('is a failure code only when the table has it itself', () => {
    expect(codes.every(isFailureCode)).toBe(true);
    for (const other of ['Nothing', 'toString', '__proto__', '', 7, undefined])
      expect(isFailureCode(other)).toBe(false);
  });
});
