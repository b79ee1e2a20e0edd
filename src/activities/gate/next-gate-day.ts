// When a day of the gate begins, by the node's calendar: at the time of day at which the gate was begun. An activity,
// for a zone's rules come with the Node that runs, and a replay must not see others.

import type { GateHostSteps } from '../../contract/gate-steps.ts';
import { minuteOfDay, onNextDay } from '../../domain/calendar.ts';
import { activity } from '../step.ts';

export function nextGateDayStep(): GateHostSteps['nextGateDay'] {
  return activity(async ({ timeZone, after, minute: given }) => {
    const afterMs = Date.parse(after);
    const minute = given ?? minuteOfDay(afterMs, timeZone);
    return { at: new Date(onNextDay(afterMs, minute, timeZone)).toISOString(), minute };
  });
}
