// What the watch saw last: the result of the newest run of its schedule that has ended.

import { type Client, ScheduleNotFoundError } from '@temporalio/client';
import { watchScheduleId } from '../contract/names.ts';
import type { SignalNow, WatchResult } from '../contract/watch-types.ts';
import type { SettleTries } from '../domain/settle-pace.ts';
import { toFailure } from './failures.ts';

export interface WatchSeen {
  readonly at: string;
  readonly signals: readonly SignalNow[];
  /** Lanes that a playbook has stopped until their restore. */
  readonly held: readonly string[];
  /** Hosts that are not there, and how. */
  readonly away: readonly string[];
  /** Lanes that it has started to settle and that were not settled since. */
  readonly tries: SettleTries;
  /** Nothing at all answered it. */
  readonly cutOff: boolean;
  /** Why it could not look for signals; null: it did. */
  readonly blind: string | null;
}

/** Null when the watch has never run to its end. TemporalUnreachable. */
export async function readWatch(client: Client, fleet: string): Promise<WatchSeen | null> {
  try {
    const { info } = await client.schedule.getHandle(watchScheduleId(fleet)).describe();
    for (const { action } of info.recentActions.toReversed()) {
      const run = client.workflow.getHandle(action.workflow.workflowId, action.workflow.firstExecutionRunId);
      const { status, closeTime } = await run.describe();
      if (status.name !== 'COMPLETED' || closeTime === undefined) continue;
      const { signals, held, away, tries, cutOff, blind } = (await run.result()) as WatchResult;
      return { at: closeTime.toISOString(), signals, held, away, tries, cutOff, blind };
    }
    return null;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw toFailure(error);
  }
}
