// When the next day of a gate begins. A calendar that cannot be told costs no gate: it waits for a worker as long as it
// takes, and what fails for good moves the days by an hour.

import { isCancellation } from '@temporalio/workflow';
import type { GateState } from '../contract/gate.ts';
import { codeOf } from './failures.ts';
import { hostDown } from './steps.ts';

/** Of the local calendar, when clocks go back: after so long it is another day everywhere. */
const longestDayMs = 25 * 3_600_000;

interface NextDay {
  readonly at: string;
  /** Of the local day at which days begin; null while it is not known. */
  readonly minute: number | null;
  readonly warning?: string;
}

/** @param startedAt when the day before began */
export async function dayAfter(
  startedAt: string,
  minute: number | null,
  { dayLengthMs, timeZone }: Pick<GateState, 'dayLengthMs' | 'timeZone'>,
): Promise<NextDay> {
  const later = (ms: number): string => new Date(Date.parse(startedAt) + ms).toISOString();
  if (dayLengthMs !== null) return { at: later(dayLengthMs), minute };
  try {
    return await hostDown.nextGateDay({ timeZone: timeZone ?? 'UTC', after: startedAt, minute });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const at = later(longestDayMs);
    const why = `the local day after ${startedAt} could not be told (${codeOf(error) ?? 'Unexpected'})`;
    return { at, minute, warning: `${why}: the next day of the gate begins at ${at}` };
  }
}
