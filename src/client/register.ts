// What a worker registers with Temporal when it starts: search attributes, and the schedule of the watch.
// Both may be repeated; what is there already stays.

import { type Client, isGrpcServiceError, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { queues, searchAttributes, watchScheduleId, workflowNames } from '../contract/names.ts';

/** temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD */
const keyword = 2;
/** grpc.status.ALREADY_EXISTS */
const alreadyExists = 6;

export async function registerSearchAttributes(client: Client): Promise<void> {
  const { namespace } = client.options;
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(searchAttributes).filter(({ name }) => !(name in (customAttributes ?? {})));
  if (missing.length === 0) return;
  try {
    await client.connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(({ name }) => [name, keyword])),
    });
  } catch (error) {
    // another worker was quicker
    if (!isGrpcServiceError(error) || error.code !== alreadyExists) throw error;
  }
}

/**
 * The watch runs every 50 s: a lane whose section and parent are both dead answers again within the minute, of which ten
 * seconds are for the way back. A run that still goes on is not doubled, and missed ones are not made up for.
 */
export async function registerWatch(client: Client, fleet: string): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: watchScheduleId(fleet),
      spec: { intervals: [{ every: '50s' }] },
      action: {
        type: 'startWorkflow',
        workflowType: workflowNames.watchFleet,
        taskQueue: queues.host,
        args: [{}],
        workflowId: `watch/${fleet}`,
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '50s' },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
