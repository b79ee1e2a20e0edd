// `retention` of fleet.yaml: which bundles are kept, for the fleet and, where a lane says so, for that lane.

import { z } from 'zod';
import { durationSchema } from './fleet-units.ts';

const kept = (most: number, least = 0) =>
  z.int('a whole number').min(least, `at least ${least}`).max(most, `at most ${most}`);

/** Longer than limits.longestBackupMs and a clock's error: what a backup found reusable must be there when it ends. */
const graceSchema = durationSchema({ from: '2d', to: '90d' });

/**
 * Daily 7: a week of tiers A, so that every day of a 7-day rent and gate can be gone back to. Weekly 5: a month of
 * tiers B however its weeks fall. Monthly 6: what a monthly rent's operator finds out late. A week of grace.
 */
export const retentionSchema = z.strictObject({
  daily: kept(366, 1).default(7).describe('days whose last bundle is kept, the newest first, 1 to 366'),
  weekly: kept(260).default(5).describe('weeks (Monday to Sunday) whose last bundle is kept, 0 to 260'),
  monthly: kept(120).default(6).describe('months whose last bundle is kept, 0 to 120'),
  grace: graceSchema
    .prefault('7d')
    .describe('how long an expired bundle stays behind its tombstone before it is removed, 2d to 90d'),
});

export const laneRetentionSchema = z
  .strictObject({
    daily: kept(366, 1).optional().describe('as in `retention`'),
    weekly: kept(260).optional().describe('as in `retention`'),
    monthly: kept(120).optional().describe('as in `retention`'),
    grace: graceSchema.optional().describe('as in `retention`'),
  })
  .optional()
  .describe("which of the lane's bundles are kept, where it is not as in the fleet's `retention`");
