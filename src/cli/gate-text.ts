// The gate as an operator reads it: a row a day, and what is next.

import type { GateDay, GateState } from '../contract/gate.ts';
import type { ExitName } from '../domain/failure.ts';
import { signatureWords } from '../domain/statements.ts';
import { formatDuration, formatInstant, formatTable } from './format.ts';

export function gateText(state: GateState): string {
  const { host, phase, doing, dayLengthMs, rearmed, looks, rto, rpo, signed, receipt, next, warnings } = state;
  const [change] = rearmed;
  return [
    `gate of ${host}: ${phase === 'running' ? doing : phase}`,
    ...(dayLengthMs === null
      ? []
      : [`a demonstration: its days last ${formatDuration(dayLengthMs)}, it proves nothing about a rent`]),
    ...(change ? [`went back to day 1 at ${formatInstant(change.at)}: ${change.why}`] : []),
    '',
    formatTable(['DAY', 'ACTION', 'PASSES WHEN', 'STATE', 'EVIDENCE'], state.rows.flatMap(rowsOf)),
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
    ...(receipt === null ? [] : [`receipt: ${receipt}`]),
    ...(next === null ? [] : [`next: ${next}`]),
  ].join('\n');
}

/** The day, and below it each further line of what was seen, went wrong and is to be changed. */
function rowsOf({ day, action, passes, state, dueAt, evidence, message, advice }: GateDay): string[][] {
  const due = state === 'waiting' && dueAt !== null ? [`begins ${formatInstant(dueAt)}`] : [];
  const told = [...due, ...evidence, ...(message === null ? [] : [message]), ...advice.map((text) => `-> ${text}`)];
  const [first = '', ...more] = told;
  return [[String(day), action, passes, state, first], ...more.map((text) => ['', '', '', '', text])];
}

/** For scripts: somebody has to look at a failed day; a gate that ended unsigned has failed. */
export function gateExit({ phase, rows }: GateState): ExitName {
  if (phase === 'abandoned' || phase === 'cancelled') return 'failed';
  return rows.some(({ state }) => state === 'failed') ? 'attention' : 'ok';
}
