// Which queues an operation needs, and which of them nobody polls: so that an operator is told at once, and does not
// look at a workflow that waits for a worker which will never come.

import type { Client } from '@temporalio/client';
import { laneSectionId, type QueueRole, queueRoles, queues, workflowNames } from '../contract/names.ts';
import type { Holder } from '../contract/step-types.ts';
import { toFailure } from './failures.ts';
import { describeHolder, hasPoller } from './temporal-view.ts';

export { queueRoles } from '../contract/names.ts';

export type NeedsWorkers = 'backup' | 'restore' | 'sweep' | 'copy' | 'expire' | 'any';

const neededRoles: Readonly<Record<NeedsWorkers, readonly QueueRole[]>> = {
  backup: ['host', 'data', 'vault'],
  restore: queueRoles,
  sweep: ['host', 'vault'],
  copy: ['host', 'vault', 'vaultData'],
  expire: ['host', 'data', 'vault'],
  any: queueRoles,
};

export interface QueueState {
  readonly role: QueueRole;
  readonly queue: string;
  readonly polled: boolean;
}

/** The queues of an operation, and whether a worker has polled each of late. TemporalUnreachable. */
export async function readQueues(client: Client, operation: NeedsWorkers): Promise<QueueState[]> {
  try {
    return await Promise.all(
      neededRoles[operation].map(async (role) => ({
        role,
        queue: queues[role],
        polled: await hasPoller(client, queues[role]),
      })),
    );
  } catch (error) {
    throw toFailure(error);
  }
}

export interface FleetRunState {
  readonly workflowId: string;
  readonly type: string;
  readonly startedAt: string;
}

/** Runs over many lanes that go on now, and keepers of moved ones, of every fleet of the namespace. TemporalUnreachable. */
export async function readFleetRuns(client: Client): Promise<FleetRunState[]> {
  const types = [workflowNames.backupFleet, workflowNames.restoreFleet, workflowNames.keepMoved]
    .map((name) => `'${name}'`)
    .join(', ');
  const query = `WorkflowType IN (${types}) AND ExecutionStatus = 'Running'`;
  try {
    const runs: FleetRunState[] = [];
    for await (const { workflowId, type, startTime } of client.workflow.list({ query }))
      runs.push({ workflowId, type, startedAt: startTime.toISOString() });
    return runs;
  } catch (error) {
    throw toFailure(error);
  }
}

export interface SectionHolder extends Holder {
  readonly workflowId: string;
}

/** Who holds a lane's section now; null when nobody does. TemporalUnreachable. */
export async function readSection(client: Client, fleet: string, lane: string): Promise<SectionHolder | null> {
  const workflowId = laneSectionId(fleet, lane);
  try {
    const holder = await describeHolder(client, workflowId);
    return holder && { ...holder, workflowId };
  } catch (error) {
    throw toFailure(error);
  }
}
