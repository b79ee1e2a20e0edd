// Receipts as they lie in the stores: of a lane in its store and that store's replica, of an incident in the stores of the
// lanes that it was about. A store that does not answer is passed over where another one has what is asked for.

import { describeStore } from '../config/fleet-store.ts';
import type { FleetFile } from '../config/fleet-file.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import type { OpenedIncident } from '../receipt/incident-receipt.ts';
import type { OpenedReceipt } from '../receipt/receipt.ts';
import {
  type IgnoredReceipt,
  readIncidentReceipt,
  readIncidentReceipts,
  readReceipt,
  readReceipts,
  type ReceiptsOf,
} from '../receipt/stored-receipts.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/store.ts';
import type { IncidentFile, ReceiptFile } from './receipt-files.ts';

/**
 * @param subject the lane, host or region that it was about
 * @throws Failure ReceiptMissing when no store that may have it does; as `readIncidentReceipt`
 */
export async function readStoredIncident(file: FleetFile, subject: string, id: string): Promise<IncidentFile> {
  const of = receiptsOf(file, subject);
  return firstOf(file, storesOf(file, subject), `${id} of an incident of ${subject}`, (store) =>
    readIncidentReceipt(store, id, of),
  );
}

/** @throws Failure UnknownLane; ReceiptMissing when neither the lane's store nor its replica has it; as `readReceipt` */
export async function readStoredReceipt(file: FleetFile, lane: string, id: string): Promise<ReceiptFile> {
  const of = receiptsOf(file, lane);
  return firstOf(file, storesOfLane(file, lane), `${id} of lane ${lane}`, async (store) => {
    try {
      return await readReceipt(store, id, of);
    } catch (error) {
      if (isFailure(error, 'ReceiptMissing')) return undefined;
      throw error;
    }
  });
}

/** What the first store has that has it. One that does not answer is passed over: the receipt may lie in the replica. */
async function firstOf<T>(
  file: FleetFile,
  names: readonly string[],
  what: string,
  read: (store: Store) => Promise<T | undefined>,
): Promise<T> {
  let silent: Failure | undefined;
  for (const name of names) {
    try {
      const found = await read(openStore(name, describeStore(file, name, 'vault')));
      if (found !== undefined) return found;
    } catch (error) {
      if (!isFailure(error) || error.code.startsWith('Receipt')) throw error;
      silent ??= error;
    }
  }
  if (silent !== undefined) throw silent;
  throw new Failure('ReceiptMissing', `there is no receipt ${what} in ${names.join(', ')}`);
}

export interface SubjectReceipts {
  /** Where they were read. */
  readonly stores: readonly string[];
  /** Newest first; of a host or a region there are none. */
  readonly receipts: readonly OpenedReceipt[];
  readonly incidents: readonly OpenedIncident[];
  readonly ignored: readonly IgnoredReceipt[];
  /** Why a store could not be looked at, where another one could. */
  readonly silent: readonly Failure[];
}

/**
 * All receipts of a lane, and of the incidents of a lane, host or region: what any of its stores has.
 * @throws Failure InvalidInput for what the fleet file names nowhere; what the stores throw when none of them answers
 */
export async function readAllReceipts(file: FleetFile, subject: string): Promise<SubjectReceipts> {
  const isLane = Object.hasOwn(file.fleet.lanes, subject);
  if (!isLane && lanesOf(file, subject).length === 0)
    throw new Failure('InvalidInput', `the fleet file has no lane, host or region ${subject}`, { field: 'SUBJECT' });
  const of = receiptsOf(file, subject);
  const stores: string[] = [];
  const silent: Failure[] = [];
  const receipts = new Map<string, OpenedReceipt>();
  const incidents = new Map<string, OpenedIncident>();
  const ignored = new Map<string, IgnoredReceipt>();
  for (const name of isLane ? storesOfLane(file, subject) : storesOf(file, subject)) {
    try {
      const store = openStore(name, describeStore(file, name, 'vault'));
      const runs = isLane ? await readReceipts(store, of) : { receipts: [], ignored: [] };
      const ofIncidents = await readIncidentReceipts(store, of);
      for (const one of runs.receipts) receipts.set(one.receipt.id, one);
      for (const one of ofIncidents.incidents) incidents.set(one.incident.id, one);
      for (const one of [...runs.ignored, ...ofIncidents.ignored]) ignored.set(one.id, one);
      stores.push(name);
    } catch (error) {
      if (!isFailure(error)) throw error;
      silent.push(error);
    }
  }
  if (stores.length === 0 && silent[0] !== undefined) throw silent[0];
  return {
    stores,
    receipts: newestFirst(receipts),
    incidents: newestFirst(incidents),
    ignored: [...ignored.values()],
    silent,
  };
}

/** An id begins with the time of its run's start. */
function newestFirst<T>(byId: ReadonlyMap<string, T>): T[] {
  return [...byId].toSorted(([one], [other]) => (one < other ? 1 : -1)).map(([, receipt]) => receipt);
}

function receiptsOf(file: FleetFile, subject: string): ReceiptsOf {
  return { fleet: file.fleet.fleet, lane: subject, publicKeysPem: file.keys.receipt };
}

function storesOfLane(file: FleetFile, lane: string): string[] {
  const { store, replica } = file.laneSpec(lane);
  return replica === undefined ? [store] : [store, replica];
}

type Spec = ReturnType<FleetFile['laneSpec']>;

function lanesOf(file: FleetFile, subject: string): Spec[] {
  const specs = Object.keys(file.fleet.lanes).map((lane) => file.laneSpec(lane));
  return specs.filter(({ lane, region, target }) => [lane, region, target.host.name].includes(subject));
}

/** Of the subject's lanes, each with its replica; of all lanes, where the file has none there (any more). */
function storesOf(file: FleetFile, subject: string): string[] {
  const own = lanesOf(file, subject);
  const specs = own.length > 0 ? own : Object.keys(file.fleet.lanes).map((lane) => file.laneSpec(lane));
  return [...new Set(specs.flatMap(({ store, replica }) => [store, replica ?? store]))];
}
