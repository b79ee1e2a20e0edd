// The receipt of an incident, however it ended. One that cannot be written is a warning: a lane that answers is recovered.

import { workflowInfo } from '@temporalio/workflow';
import { bundleIdOf } from '../domain/terms.ts';
import { messageOf } from './failures.ts';
import type { IncidentDesk } from './incident-desk.ts';
import { vaultReceipt } from './steps.ts';

/** Dry runs leave none, nor does what never learned of which fleet it was. */
export async function writeIncidentReceipt(desk: IncidentDesk): Promise<void> {
  const { state, evidence, found } = desk;
  if (state.phase === 'planned' || found === undefined) return;
  const { startTime, runId } = workflowInfo();
  const { store, replica } = found.receipts;
  try {
    const { receipt } = await vaultReceipt(state.code === null ? 'passed' : 'failed').writeIncidentReceipt({
      id: bundleIdOf(startTime.getTime(), runId),
      fleetDigest: found.fleetDigest,
      store,
      replica,
      state,
      steps: evidence.steps,
    });
    desk.update({ receipt });
  } catch (error) {
    desk.warn(`NO RECEIPT of this incident was written: ${messageOf(error)}`);
  }
}
