// How far a started workflow is: its section's progress, and the bytes that running activities told with
// their last heartbeat. Anything that cannot be read now is simply absent; nothing here fails a follower.

import type { Client, WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { laneSectionId } from '../contract/names.ts';
import { type Progress, progressQuery } from '../contract/results.ts';

export interface Following {
  readonly progress?: Progress;
  /** Bytes of the segments that are under way now. */
  readonly bytesInFlight: number;
}

/** A snapshot of a lane's section. */
export async function readProgress(client: Client, fleet: string, lane: string): Promise<Following> {
  const handle = client.workflow.getHandle(laneSectionId(fleet, lane));
  try {
    const [progress, bytesInFlight] = await Promise.all([handle.query<Progress>(progressQuery), inFlight(handle)]);
    return { progress, bytesInFlight };
  } catch {
    return { bytesInFlight: 0 };
  }
}

async function inFlight(handle: WorkflowHandle): Promise<number> {
  const { raw } = await handle.describe();
  return (raw.pendingActivities ?? []).reduce((sum, activity) => {
    const payload = activity.heartbeatDetails?.payloads?.[0];
    if (!payload) return sum;
    const details = defaultPayloadConverter.fromPayload<{ bytes?: number }>(payload);
    return sum + (details.bytes ?? 0);
  }, 0);
}
