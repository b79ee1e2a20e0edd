// What a day of the gate has come to: passed with its evidence, or failed with a code and advice.

import type { GateRto } from '../contract/gate.ts';
import { type FailureCode, failureTable } from '../domain/failure.ts';
import type { GateArchive } from '../domain/gate.ts';
import { codeOf, messageOf } from './failures.ts';

export interface DayDone {
  readonly state: 'passed' | 'failed' | 'not-applicable';
  readonly evidence: readonly string[];
  /** Where it failed. */
  readonly code: FailureCode | null;
  readonly message: string | null;
  readonly advice: readonly string[];
  readonly archives?: readonly GateArchive[];
  readonly rto?: GateRto;
}

export const passed = (evidence: readonly string[], more: Partial<DayDone> = {}): DayDone => ({
  state: 'passed',
  evidence,
  code: null,
  message: null,
  advice: [],
  ...more,
});

/** Of what one or several things were not good enough. */
export const failed = (code: FailureCode, problems: readonly Problem[], evidence: readonly string[]): DayDone => ({
  state: 'failed',
  evidence,
  code,
  message: problems.map(({ what }) => what).join('; '),
  advice: [...new Set(problems.map(({ advice }) => advice))],
});

export interface Problem {
  readonly what: string;
  readonly advice: string;
}

/** What a day's work has thrown. */
export function dayFailure(error: unknown): DayDone {
  const code = codeOf(error) ?? 'Unexpected';
  return failed(code, [{ what: messageOf(error), advice: failureTable[code].hint }], []);
}
