// What a worker registers with Temporal when it starts: search attributes, and the schedules of the watches.
// Both may be repeated; what is there already stays.

import { type Client, isGrpcServiceError } from '@temporalio/client';
import { searchAttributes } from '../contract/names.ts';
import { watchSchedules } from '../contract/schedule-plan.ts';
import { createSchedule } from './schedules.ts';

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

/** The watches go on by themselves from the first worker on; `schedules apply` sets the rest. One that is there stays. */
export async function registerWatches(client: Client, fleet: string): Promise<void> {
  for (const one of watchSchedules(fleet)) await createSchedule(client, one);
}
