// Schedules on a terminal: what is to change, and what there is.

import type { HeldSchedule, ScheduleChange } from '../client/schedules.ts';
import type { ScheduleTerms } from '../client/schedule-terms.ts';
import { formatDuration, formatInstant, formatTable } from './format.ts';

const signs = { create: '+', update: '~', remove: '-' } as const;
const words = {
  planned: { create: 'to create', update: 'to change', remove: 'to remove' },
  made: { create: 'created', update: 'changed', remove: 'removed' },
} as const;

/** @param state whether the changes are still to be made, or have been */
export function changesText(changes: readonly ScheduleChange[], total: number, state: keyof typeof words): string {
  if (changes.length === 0) return `all ${total} schedules are as the fleet file has them`;
  const count = (kind: ScheduleChange['change']): string =>
    `${changes.filter(({ change }) => change === kind).length} ${words[state][kind]}`;
  const lines = changes.flatMap(linesOf);
  return [...lines, `${count('create')}, ${count('update')}, ${count('remove')}, of ${total} schedules`].join('\n');
}

function linesOf(change: ScheduleChange): string[] {
  const head = `${signs[change.change]} ${change.id}`;
  if (change.change === 'create')
    return [
      `${head}  ${change.to.when} ${change.to.timeZone}`,
      `    ${change.to.workflow} ${change.to.input}, ${policyText(change.to)}`,
    ];
  if (change.change === 'remove') return [head];
  return [
    `${head}${change.paused ? '  (paused, and stays so)' : ''}`,
    ...change.fields.map(({ field, from, to }) => `    ${field}: ${shown(field, from)} -> ${shown(field, to)}`),
  ];
}

function policyText({ jitterMs, catchupMs, overlap }: ScheduleTerms): string {
  return `jitter ${formatDuration(jitterMs)}, catch-up ${formatDuration(catchupMs)}, overlap ${overlap}`;
}

/** Milliseconds as people read them. */
function shown(field: string, value: string): string {
  return field.endsWith('Ms') ? formatDuration(Number(value)) : value;
}

export function schedulesText(fleet: string, schedules: readonly HeldSchedule[]): string {
  if (schedules.length === 0) return `fleet ${fleet} has no schedules in Temporal: ./clawback schedules apply`;
  const rows = schedules.map((one) => [
    one.name,
    `${one.terms.when} ${one.terms.timeZone}`,
    one.paused ? `paused: ${one.note}` : nextText(one),
    lastText(one),
  ]);
  return formatTable(['schedule', 'when', 'next', 'last'], rows);
}

function nextText({ nextAt, terms }: HeldSchedule): string {
  return nextAt === null ? 'never' : `${formatInstant(nextAt, terms.timeZone)} (${nextAt.slice(0, 16)}Z)`;
}

function lastText({ lastAt, lastOutcome, missed }: HeldSchedule): string {
  const last = lastAt === null ? 'none yet' : `${lastAt.slice(0, 16)}Z ${(lastOutcome ?? 'forgotten').toLowerCase()}`;
  return missed > 0 ? `${last}; ${missed} missed` : last;
}
