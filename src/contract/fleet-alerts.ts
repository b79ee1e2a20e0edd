// `alerts` of fleet.yaml: when a missed recovery point objective is told.

import { z } from 'zod';
import { durationSchema } from './fleet-units.ts';

/**
 * Grace at its preset: on the day when clocks go back two nights are 25 hours apart (1 h), a backup may wait for its lane
 * (30 min, `limits.waitForLane`) and takes up to an hour (the gate's bound of tier B); half an hour is left.
 */
export const alertsSchema = z.strictObject({
  grace: durationSchema({ from: '1m', to: '7d' })
    .prefault('3h')
    .describe('how much later than its objective a capture may be before that is told'),
  remindEvery: durationSchema({ from: '1m', to: '30d' })
    .prefault('12h')
    .describe('how often it is told again while it is missed'),
});
