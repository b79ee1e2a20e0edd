// What `status` says of the schedules: how many there are and which comes next, and a line for each that is not as it
// should be. Pure; `schedules list` has them all.

import type { HeldSchedule } from '../client/schedules.ts';
import { formatInstant, printable } from './format.ts';
import type { Seen } from './lane-probe.ts';

/** Made by the first worker; the rest is made by `schedules apply`. */
const isWatch = ({ name }: HeldSchedule): boolean => !name.includes('/');

const bad = ['FAILED', 'TIMED_OUT', 'TERMINATED'];
const endedBadly = ({ lastOutcome }: HeldSchedule): boolean => lastOutcome !== null && bad.includes(lastOutcome);

export function schedulesRows(schedules: Seen<readonly HeldSchedule[]>): string[][] {
  if ('unseen' in schedules) return [['schedules', `unknown: ${schedules.unseen.message}`]];
  const own = schedules.seen.filter((one) => !isWatch(one));
  if (own.length === 0) return [['schedules', 'none: ./clawback schedules apply']];
  return [
    ['schedules', `${own.length}; ${nextText(own)}`],
    ...schedules.seen.filter(({ paused }) => paused).map((one) => ['', `${one.name} paused: ${printable(one.note)}`]),
    ...schedules.seen.filter(({ missed }) => missed > 0).map(({ name, missed }) => ['', `${name} missed ${missed}`]),
  ];
}

function nextText(schedules: readonly HeldSchedule[]): string {
  const [next] = schedules
    .flatMap(({ name, nextAt, terms }) => (nextAt === null ? [] : [{ name, nextAt, zone: terms.timeZone }]))
    .toSorted((a, b) => Date.parse(a.nextAt) - Date.parse(b.nextAt));
  return next === undefined ? 'none is to run' : `next ${next.name} at ${formatInstant(next.nextAt, next.zone)}`;
}

/** A pause of a backup is somebody's decision, and the RPO tells when it lasts; that of a watch hides everything else. */
export function schedulesConcerns(schedules: Seen<readonly HeldSchedule[]>): string[] {
  if ('unseen' in schedules) return [];
  const paused = schedules.seen.filter((one) => one.paused && isWatch(one));
  return [
    ...paused.map(({ name }) => `${name} is paused, nothing is looked for: ./clawback schedules resume ${name}`),
    ...schedules.seen.filter(endedBadly).map(failedText),
  ];
}

function failedText({ name, lastAt, lastOutcome, lastWorkflowId }: HeldSchedule): string {
  const how = (lastOutcome ?? '').toLowerCase().replace('_', ' ');
  const at = lastAt === null ? '' : ` at ${formatInstant(lastAt)}`;
  return `${name}: its last run${at} ${how === 'failed' ? 'failed' : `was ${how}`}: ./clawback follow ${lastWorkflowId}`;
}
