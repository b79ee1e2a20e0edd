// Receipts of incidents, found: in the stores of the lanes that the incident was about, or in a file.

import { describeStore } from '../config/fleet-store.ts';
import type { FleetFile } from '../config/fleet-file.ts';
import { Failure } from '../domain/failure.ts';
import { readIncidentReceipt } from '../receipt/stored-receipts.ts';
import { openStore } from '../store/open-store.ts';
import type { IncidentFile } from './receipt-files.ts';

/**
 * @param subject the lane, host or region that it was about
 * @throws Failure ReceiptMissing when no store that may have it does; as `readIncidentReceipt`
 */
export async function readStoredIncident(file: FleetFile, subject: string, id: string): Promise<IncidentFile> {
  const of = { fleet: file.fleet.fleet, lane: subject, publicKeysPem: file.keys.receipt };
  const names = storesOf(file, subject);
  let silent: Failure | undefined;
  for (const name of names) {
    try {
      const found = await readIncidentReceipt(openStore(name, describeStore(file, name, 'vault')), id, of);
      if (found !== undefined) return found;
    } catch (error) {
      if (!(error instanceof Failure) || error.code.startsWith('Receipt')) throw error;
      // it may lie in the replica, of a region that was lost
      silent = error;
    }
  }
  if (silent !== undefined) throw silent;
  throw new Failure('ReceiptMissing', `there is no receipt ${id} of an incident of ${subject} in ${names.join(', ')}`);
}

/** Of the subject's lanes, each with its replica; of all lanes, where the file has none there (any more). */
function storesOf(file: FleetFile, subject: string): string[] {
  const specs = Object.keys(file.fleet.lanes).map((lane) => file.laneSpec(lane));
  const own = specs.filter(({ lane, region, target }) => [lane, region, target.host.name].includes(subject));
  return [...new Set((own.length > 0 ? own : specs).flatMap(({ store, replica }) => [store, replica ?? store]))];
}
