// A schedule in plain terms: the same for one that is planned and one that Temporal holds, so that the two compare field
// by field, also where somebody has edited one by hand.

import {
  type CalendarSpecDescription,
  type ScheduleDescription,
  ScheduleOverlapPolicy,
  type ScheduleOptions,
} from '@temporalio/client';
import type { ScheduleOverlap } from '../contract/fleet-schedules.ts';
import type { PlannedSchedule, ScheduleTime } from '../contract/schedule-plan.ts';

/** What an operator is shown of a schedule. */
export interface ScheduleTerms {
  /** `daily 03:15`, `sunday 04:00`, `every 50 s`; `other` where it was edited into something else. */
  readonly when: string;
  /** IANA; `UTC` for intervals. */
  readonly timeZone: string;
  readonly jitterMs: number;
  readonly catchupMs: number;
  /** `SKIP`, `BUFFER_ONE`, `CANCEL_OTHER`: what becomes of a run while the one before goes on. */
  readonly overlap: string;
  /** A failed run does not end those of the next days: a lane that is down for a night is to be backed up the next. */
  readonly pauseOnFailure: boolean;
  readonly workflow: string;
  readonly queue: string;
  /** JSON. */
  readonly input: string;
}

const overlaps = {
  skip: ScheduleOverlapPolicy.SKIP,
  'buffer-one': ScheduleOverlapPolicy.BUFFER_ONE,
  'cancel-other': ScheduleOverlapPolicy.CANCEL_OTHER,
} as const satisfies Record<ScheduleOverlap, ScheduleOverlapPolicy>;

const two = (number: number): string => String(number).padStart(2, '0');

export function termsOfPlanned({ when, jitterMs, catchupMs, overlap, run }: PlannedSchedule): ScheduleTerms {
  return {
    ...timeTerms(when),
    jitterMs,
    catchupMs,
    overlap: overlaps[overlap],
    pauseOnFailure: false,
    workflow: run.workflow,
    queue: run.queue,
    input: JSON.stringify([run.input]),
  };
}

function timeTerms(when: ScheduleTime): Pick<ScheduleTerms, 'when' | 'timeZone'> {
  if ('everyMs' in when) return { when: every(when.everyMs), timeZone: 'UTC' };
  return { when: `${when.day} ${two(when.hour)}:${two(when.minute)}`, timeZone: when.timeZone };
}

function every(ms: number): string {
  return `every ${ms / 1000} s`;
}

export function termsOfDescribed({ spec, policies, action }: ScheduleDescription): ScheduleTerms {
  return {
    when: whenOf(spec),
    timeZone: spec.timezone || 'UTC',
    jitterMs: spec.jitter ?? 0,
    catchupMs: policies.catchupWindow,
    overlap: policies.overlap ?? '',
    pauseOnFailure: policies.pauseOnFailure,
    workflow: action.workflowType,
    queue: action.taskQueue ?? '',
    input: JSON.stringify(action.args ?? []),
  };
}

function whenOf({ calendars = [], intervals = [], skip = [] }: ScheduleDescription['spec']): string {
  const [calendar, interval] = [calendars[0], intervals[0]];
  const count = calendars.length + intervals.length;
  if (count !== 1 || skip.length > 0) return 'other';
  if (interval !== undefined) return interval.offset ? 'other' : every(interval.every);
  return calendar === undefined ? 'other' : calendarText(calendar);
}

function calendarText({ second, minute, hour, dayOfWeek, dayOfMonth, month, year }: CalendarSpecDescription): string {
  const [minuteAt, hourAt] = [single(minute), single(hour)];
  const others = single(second) === 0 && spans(dayOfMonth, 31) && spans(month, 12) && (year ?? []).length === 0;
  if (!others || minuteAt === undefined || hourAt === undefined) return 'other';
  const day = spans(dayOfWeek, 7) ? 'daily' : String(single(dayOfWeek) ?? 'other').toLowerCase();
  return `${day} ${two(Number(hourAt))}:${two(Number(minuteAt))}`;
}

interface Span {
  readonly start: number | string;
  readonly end: number | string;
  readonly step: number;
}

/** The one value of a field that has one. */
function single(ranges: readonly Span[]): number | string | undefined {
  const [range] = ranges;
  return ranges.length === 1 && range?.start === range?.end ? range?.start : undefined;
}

const months = ['JANUARY', 'DECEMBER'];
const week = ['SUNDAY', 'SATURDAY'];

/** Is every value taken? */
function spans(ranges: readonly Span[], count: number): boolean {
  const [range] = ranges;
  if (ranges.length !== 1 || range === undefined || range.step > 1) return false;
  const ends = [range.start, range.end].join();
  return [`1,${count}`, ...(count === 12 ? [months.join()] : []), ...(count === 7 ? [week.join()] : [])].includes(ends);
}

/** What Temporal is told. */
export function scheduleOptions(planned: PlannedSchedule): Omit<ScheduleOptions, 'scheduleId' | 'state' | 'memo'> {
  const { when, jitterMs, catchupMs, overlap, run } = planned;
  return {
    spec: { ...specOf(when), jitter: jitterMs },
    action: {
      type: 'startWorkflow',
      workflowType: run.workflow,
      taskQueue: run.queue,
      args: [run.input],
      workflowId: run.workflowId,
    },
    policies: { overlap: overlaps[overlap], catchupWindow: catchupMs, pauseOnFailure: false },
  };
}

function specOf(when: ScheduleTime): ScheduleOptions['spec'] {
  if ('everyMs' in when) return { intervals: [{ every: when.everyMs }] };
  const { day, hour, minute, timeZone } = when;
  const weekday = day.toUpperCase() as Exclude<Uppercase<typeof day>, 'DAILY'>;
  return { calendars: [{ hour, minute, ...(day === 'daily' ? {} : { dayOfWeek: weekday }) }], timezone: timeZone };
}
