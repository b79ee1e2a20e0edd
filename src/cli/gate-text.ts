// The gate as an operator reads it, in a terminal of 80 columns: each day with what was seen of it, and what is next.

import type { GateDay, GateState } from '../contract/gate.ts';
import type { ExitName } from '../domain/failure.ts';
import { signatureWords } from '../domain/statements.ts';
import { foldText, formatDuration, formatInstant } from './format.ts';

const columns = 80;
const indent = '       ';

export function gateText(state: GateState): string {
  const { host, phase, doing, dayLengthMs, rearmed, looks, rto, rpo, signed, abandoned, receipt, next, warnings } =
    state;
  const [change] = rearmed;
  return [
    `gate of ${host}: ${phase === 'running' ? doing : phase}`,
    ...(dayLengthMs === null
      ? []
      : [`a demonstration: its days last ${formatDuration(dayLengthMs)}, it proves nothing about a rent`]),
    ...(change ? [`went back to day 1 at ${formatInstant(change.at)}: ${change.why}`] : []),
    '',
    ...state.rows.flatMap(linesOf),
    '',
    `disk: ${looks.taken} of ${looks.expected} looks`,
    ...(rto
      ? [`RTO: all lanes answered ${formatDuration(rto.ms)} after the drill began, of ${formatDuration(rto.budgetMs)}`]
      : []),
    ...rpo.map(({ dataClass, lane, ms }) => `RPO of class ${dataClass}: ${formatDuration(Math.max(ms, 0))} (${lane})`),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(signed === null
      ? []
      : [`signed by ${signed.by} at ${formatInstant(signed.at)}, ${signatureWords[signed.how]}`]),
    ...(abandoned === null ? [] : foldText(abandonedText(abandoned, phase), columns, '  ')),
    ...(receipt === null ? [] : [`receipt: ${receipt}`]),
    ...(next === null || (abandoned !== null && phase === 'running') ? [] : [`next: ${next}`]),
  ].join('\n');
}

/** Told at once: what the gate does just then is put right first. */
function abandonedText({ by, at, reason }: NonNullable<GateState['abandoned']>, phase: GateState['phase']): string {
  const when = phase === 'running' ? '; it ends unsigned once what it does now is put right' : '';
  return `abandoned by ${by} at ${formatInstant(at)}: ${reason}${when}`;
}

/** The day, and below it what it asks while it has not passed, what was seen, what went wrong and what to change. */
function linesOf({ day, action, passes, state, dueAt, evidence, message, advice }: GateDay): string[] {
  const told = [
    ...(state === 'passed' || state === 'not-applicable' ? [] : [`to pass: ${passes}`]),
    ...(state === 'waiting' && dueAt !== null ? [`begins ${formatInstant(dueAt)}`] : []),
    ...evidence,
    ...(message === null ? [] : [message]),
    ...advice.map((text) => `-> ${text}`),
  ];
  const below = told.flatMap((text) => foldText(text, columns - indent.length, '  '));
  return [`day ${day}  ${state.toUpperCase()}  ${action}`, ...below.map((line) => `${indent}${line}`)];
}

/** For scripts: somebody has to look at a failed day; a gate that ended unsigned has failed. */
export function gateExit({ phase, rows }: GateState): ExitName {
  if (phase === 'abandoned' || phase === 'cancelled') return 'failed';
  return rows.some(({ state }) => state === 'failed') ? 'attention' : 'ok';
}
