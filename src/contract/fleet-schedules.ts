// `schedules` of fleet.yaml: what runs by itself and when, by the clock on the host's wall.

import { z } from 'zod';

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

const schedule = (day: ScheduleDay, at: string, meaning: string) =>
  z
    .strictObject({
      enabled: z.boolean().default(true).describe('false: it is not scheduled'),
      day: z.enum(scheduleDays).default(day).describe('`daily`, or the day of the week'),
      at: clockTime.default(at).describe("the local time of the host, HH:MM, in the host's `timeZone`"),
    })
    .prefault({})
    .describe(meaning);

/**
 * Tier A at 03:15 is the procedure's. The rest follows it on its own: backups first, then what judges them, so that a
 * night's verification and expiry see the night's bundles.
 */
export const schedulesSchema = z.strictObject({
  tierA: schedule('daily', '03:15', 'tier A of every lane: class 1'),
  tierB: schedule('sunday', '04:00', 'tier B of every lane: class 1 and 2'),
  tierC: schedule('sunday', '05:30', 'tier C of every lane, on hosts with several lanes'),
  expire: schedule('daily', '06:30', 'expiry of every lane'),
  verify: schedule('daily', '07:00', 'verification of every lane: all digests, and what is due by `verify.within`'),
  sweep: schedule('sunday', '08:00', 'sweep of every lane: what no manifest names'),
});

export type FleetSchedules = z.infer<typeof schedulesSchema>;
export type ScheduledWork = keyof FleetSchedules;
