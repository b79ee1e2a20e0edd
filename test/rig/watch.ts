// The watch of a rig's fleet, run by its own schedule when a test wants it; it runs each 50 s besides.

import { ScheduleOverlapPolicy } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchScheduleId } from '../../src/contract/names.ts';
import type { WatchResult } from '../../src/contract/watch-types.ts';
import type { Rig } from './rig.ts';

/** A disaster with silent hosts in it: each look takes until their connections have timed out, 10 s. */
const foundWithinMs = 180_000;

/** One run to its end; it remembers what the run before it saw. */
export async function watchOnce({ client }: Pick<Rig, 'client'>): Promise<WatchResult> {
  const schedule = client.schedule.getHandle(watchScheduleId('bed'));
  const before = (await schedule.describe()).info.numActionsTaken;
  for (;;) {
    await schedule.trigger(ScheduleOverlapPolicy.SKIP);
    await sleep(300);
    const { info } = await schedule.describe();
    const last = info.recentActions.at(-1)?.action.workflow.workflowId;
    if (info.numActionsTaken > before && last !== undefined)
      return client.workflow.getHandle(last).result() as Promise<WatchResult>;
  }
}

/** From now on what the watch opens is a rehearsal. */
export async function watchAsRehearsal({ client }: Rig): Promise<void> {
  const schedule = client.schedule.getHandle(watchScheduleId('bed'));
  await schedule.update(({ action, ...rest }) => ({ ...rest, action: { ...action, args: [{ rehearse: true }] } }));
}

/** Looks until the watch has opened an incident, in this run or in one of its own. */
export async function untilOpened(rig: Rig, incident: string): Promise<void> {
  const deadlineMs = Date.now() + foundWithinMs;
  for (;;) {
    const { signals, away, blind, cutOff } = await watchOnce(rig);
    if (await isThere(rig, incident)) return;
    if (Date.now() > deadlineMs)
      throw new Error(`the watch does not open ${incident}: ${JSON.stringify({ signals, away, blind, cutOff })}`);
  }
}

async function isThere({ client }: Rig, workflowId: string): Promise<boolean> {
  return client.workflow
    .getHandle(workflowId)
    .describe()
    .then(
      ({ status }) => status.name === 'RUNNING' || status.name === 'COMPLETED',
      () => false,
    );
}
