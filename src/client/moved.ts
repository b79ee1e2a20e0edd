// Lanes of a lost host from outside: where they are, and that the host never comes back.

import { type Client, WorkflowUpdateFailedError } from '@temporalio/client';
import { movedId } from '../contract/names.ts';
import { movedMessages, type MovedState } from '../contract/placement.ts';
import { fromCause, toFailure } from './failures.ts';

/** Needs a worker that answers. InvalidInput when no lanes of the host were moved. */
export async function readMoved(client: Client, fleet: string, lostHost: string): Promise<MovedState> {
  try {
    return await client.workflow.getHandle(movedId(fleet, lostHost)).query<MovedState>(movedMessages.moved);
  } catch (error) {
    throw toFailure(error);
  }
}

/** Somebody's word that the host never comes back: it is waited for no longer. */
export async function tellGone(client: Client, fleet: string, lostHost: string, by: string): Promise<MovedState> {
  try {
    const handle = client.workflow.getHandle(movedId(fleet, lostHost));
    return await handle.executeUpdate<MovedState, [{ by: string }]>(movedMessages.gone, { args: [{ by }] });
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw fromCause(error.cause);
    throw toFailure(error);
  }
}
