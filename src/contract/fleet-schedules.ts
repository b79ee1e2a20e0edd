// `schedules` of fleet.yaml: what runs by itself and when, by the clock on the host's wall.

import { z } from 'zod';
import { durationSchema } from './fleet-units.ts';

export const scheduleDays = [
  'daily',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;
export type ScheduleDay = (typeof scheduleDays)[number];

const clockTime = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time is text such as "03:15", from 00:00 to 23:59')
  .meta({ title: 'time' });

/** What a run does whose time comes while the one before goes on; Temporal's others are left out: they let runs pile up, or end them without putting anything right. */
export const scheduleOverlaps = ['skip', 'buffer-one', 'cancel-other'] as const;
export type ScheduleOverlap = (typeof scheduleOverlaps)[number];

interface Preset {
  readonly day: ScheduleDay;
  readonly at: string;
  readonly catchUp: string;
}

const schedule = ({ day, at, catchUp }: Preset, meaning: string) =>
  z
    .strictObject({
      enabled: z.boolean().default(true).describe('false: it is not scheduled'),
      day: z.enum(scheduleDays).default(day).describe('`daily`, or the day of the week'),
      at: clockTime.default(at).describe("the local time of the host, HH:MM, in the host's `timeZone`"),
      jitter: durationSchema({ from: '0s', to: '1h' })
        .prefault('1m')
        .describe('it begins up to so much later, so that the hosts of a fleet do not begin in the same second'),
      catchUp: durationSchema({ from: '1m', to: '7d' })
        .prefault(catchUp)
        .describe('how late a run may begin that was missed while Temporal was down'),
      overlap: z
        .enum(scheduleOverlaps)
        .default('skip')
        .describe(
          'while the run before goes on: `skip` leaves this one out, `buffer-one` lets it wait, `cancel-other` cancels the run before, which puts its lanes right first',
        ),
    })
    .prefault({})
    .describe(meaning);

/**
 * Tier A at 03:15 is the procedure's. The rest follows it on its own: backups first, then what judges them, so that a
 * night's verification and expiry see the night's bundles. A missed backup is made the same day, within the RPO; what only
 * looks or tidies comes again by itself soon.
 */
export const schedulesSchema = z.strictObject({
  tierA: schedule({ day: 'daily', at: '03:15', catchUp: '12h' }, 'tier A of every lane: class 1'),
  tierB: schedule({ day: 'sunday', at: '04:00', catchUp: '24h' }, 'tier B of every lane: class 1 and 2'),
  tierC: schedule({ day: 'sunday', at: '05:30', catchUp: '24h' }, 'tier C of every lane, on hosts with several lanes'),
  expire: schedule({ day: 'daily', at: '06:30', catchUp: '6h' }, 'expiry of every lane'),
  verify: schedule(
    { day: 'daily', at: '07:00', catchUp: '6h' },
    'verification of every lane: all digests, and what is due by `verify.within`',
  ),
  sweep: schedule({ day: 'sunday', at: '08:00', catchUp: '6h' }, 'sweep of every lane: what no manifest names'),
});

export type FleetSchedules = z.infer<typeof schedulesSchema>;
export type ScheduledWork = keyof FleetSchedules;
