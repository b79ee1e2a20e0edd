// The state of a gate: how it begins, how its rows change, what it says in a word, and what comes next.

import { workflowInfo } from '@temporalio/workflow';
import type { GateDay, GateState, QualifyHostInput } from '../contract/gate.ts';
import { gateTable, signingFault } from '../domain/gate.ts';
import { gateLimits } from '../domain/gate-limits.ts';
import { limits } from '../domain/limits.ts';
import { workflowFailure } from './failures.ts';
import type { DayDone } from './gate-done.ts';

export const unsaid = { evidence: [], code: null, message: null, advice: [] } as const;
export const guardrailsGoOn: DayDone = { state: 'passed', ...unsaid };

export function said({ state, evidence, code, message, advice }: DayDone): Partial<GateDay> {
  const short = (texts: readonly string[]): string[] =>
    texts.slice(0, gateLimits.texts).map((text) => text.slice(0, limits.receiptTextLength));
  return {
    state,
    evidence: short(evidence),
    code,
    message: message?.slice(0, limits.rowMessageChars) ?? null,
    advice: short(advice),
  };
}

export function changed(rows: readonly GateDay[], day: number, change: Partial<GateDay>): GateDay[] {
  return rows.map((row) => (row.day === day ? { ...row, ...change } : row));
}

export function refusal(message: string) {
  return workflowFailure('GateRefused', message);
}

export function now(): string {
  return new Date(Date.now()).toISOString();
}

export function freshState({ host: name, dayLengthMs }: QualifyHostInput): GateState {
  const { workflowId, startTime, firstExecutionRunId: runId } = workflowInfo();
  const fleet = workflowId.split('/')[1] ?? '';
  return {
    ...emptyState({ gate: workflowId, runId, fleet, host: name, dayLengthMs: dayLengthMs ?? null }),
    startedAt: startTime.toISOString(),
  };
}

export function emptyState(of: Pick<GateState, 'gate' | 'runId' | 'fleet' | 'host' | 'dayLengthMs'>): GateState {
  return {
    ...of,
    phase: 'running',
    day: 0,
    doing: 'begins',
    startedAt: now(),
    endedAt: null,
    timeZone: null,
    lanes: [],
    rows: gateTable.map((row) => ({
      ...row,
      state: 'waiting',
      attempts: 0,
      dueAt: null,
      startedAt: null,
      endedAt: null,
      ...unsaid,
    })),
    looks: { taken: 0, expected: 0 },
    archives: [],
    rto: null,
    rpo: [],
    clockOffsetMs: null,
    rearmed: [],
    signed: null,
    abandoned: null,
    receipt: null,
    warnings: [],
    next: null,
  };
}

/** For who looks through many: where it stands, in a word. */
export function verdictOf({ phase, rows }: GateState): string {
  if (phase !== 'running') return phase;
  const failed = rows.find(({ state }) => state === 'failed');
  if (failed) return `day-${failed.day}-failed`;
  return signingFault(rows) === undefined ? 'awaits-signature' : 'running';
}

export function nextOf({ phase, rows, host: name, receipt, lanes }: GateState): string | null {
  const [lane] = lanes;
  if (phase !== 'running')
    return receipt === null || lane === undefined ? null : `./clawback receipt show ${receipt} --lane ${lane}`;
  const failed = rows.find(({ state }) => state === 'failed');
  if (failed) return `./clawback gate retry ${name} --day ${failed.day}`;
  return signingFault(rows) === undefined ? `./clawback gate sign ${name} --by NAME` : null;
}
