// The receipts of a lane as they rest in its store, beside its bundles: `<lane>/receipts/<id>.json`.

import type { Readable } from 'node:stream';
import { Failure, isFailure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { bundleIdPattern, lanePattern } from '../domain/terms.ts';
import { incidentReceiptKey, type OpenedIncident, openIncidentReceipt } from './incident-receipt.ts';
import { type OpenedReceipt, openReceipt } from './receipt.ts';

/** Of a store, what is needed to read receipts. */
export interface ReceiptSource {
  list(prefix: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<{ readonly key: string }>;
  /** @throws Failure ObjectMissing */
  get(key: string, options?: { readonly signal?: AbortSignal }): Promise<Readable>;
}

/** Whose receipts, and by whose signature. */
export interface ReceiptsOf {
  readonly fleet: string;
  readonly lane: string;
  readonly publicKeysPem: readonly string[];
  readonly signal?: AbortSignal;
}

/** A receipt that is not to be believed, and why. */
export interface IgnoredReceipt {
  readonly id: string;
  readonly failure: Failure;
}

export interface StoredReceipts {
  /** Newest first. */
  readonly receipts: readonly OpenedReceipt[];
  readonly ignored: readonly IgnoredReceipt[];
}

export function receiptsPrefix(lane: string): string {
  if (lanePattern.test(lane)) return `${lane}/receipts/`;
  throw new Failure('InvalidInput', `lane ${JSON.stringify(lane.slice(0, 80))} does not have the form of one`);
}

/** InvalidInput when the lane or the id has a wrong form. */
export function receiptKey(lane: string, id: string): string {
  if (bundleIdPattern.test(id)) return `${receiptsPrefix(lane)}${id}.json`;
  throw new Failure('InvalidInput', `receipt ${JSON.stringify(id.slice(0, 80))} does not have the form of an id`);
}

/** Ids of all receipts of a lane, newest first: an id begins with the time of its run's start. */
async function listIds(source: ReceiptSource, { lane, signal }: ReceiptsOf, before: string): Promise<string[]> {
  const prefix = `${receiptsPrefix(lane)}${before}`;
  const ids: string[] = [];
  for await (const { key } of source.list(prefix, signal ? { signal } : {})) {
    const id = key.slice(prefix.length).replace(/\.json$/, '');
    if (bundleIdPattern.test(id)) ids.push(id);
  }
  return ids.toSorted().toReversed();
}

/** What is wrong with a receipt; anything else is thrown. */
function requireReceiptFault(error: unknown): Failure {
  if (isFailure(error) && error.code.startsWith('Receipt')) return error;
  throw error;
}

/**
 * @returns one receipt, checked. ReceiptMissing, ReceiptDamaged, ReceiptSignatureBad, ReceiptFormatUnknown,
 *   ReceiptForeign, and what the store throws
 */
export async function readReceipt(
  source: ReceiptSource,
  id: string,
  { fleet, lane, publicKeysPem, signal }: ReceiptsOf,
): Promise<OpenedReceipt & { readonly bytes: Buffer }> {
  const bytes = await readSmall(await opened(source, { lane, id, signal }), id);
  try {
    const found = openReceipt(bytes, { publicKeysPem, of: { fleet, lane } });
    if (found.receipt.id === id) return { ...found, bytes };
    throw new Failure('ReceiptDamaged', `it says that it is receipt ${found.receipt.id}`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.code, `receipt ${id}: ${error.message}`, { ...error.context, lane }, { cause: error });
  }
}

/**
 * The receipt of an incident, from beside its subject's others.
 * @returns undefined when this store has none. ReceiptDamaged, ReceiptSignatureBad, ReceiptForeign, and what the store throws
 */
export async function readIncidentReceipt(
  source: ReceiptSource,
  id: string,
  { fleet, lane: subject, publicKeysPem }: ReceiptsOf,
): Promise<(OpenedIncident & { readonly bytes: Buffer }) | undefined> {
  const bytes = await bytesOf(source, incidentReceiptKey(subject, id));
  if (bytes === undefined) return undefined;
  const receipt = openIncidentReceipt(bytes, publicKeysPem);
  if (receipt?.incident.id !== id) throw new Failure('ReceiptDamaged', `receipt ${id} is of something else`);
  if (receipt.incident.fleet === fleet && receipt.incident.subject === subject) return { ...receipt, bytes };
  throw new Failure('ReceiptForeign', `receipt ${id} is not of ${subject} in fleet ${fleet}`, { fleet });
}

export interface StoredIncidents {
  /** Newest first. */
  readonly incidents: readonly OpenedIncident[];
  readonly ignored: readonly IgnoredReceipt[];
}

/** All receipts of incidents of a lane, host or region. What is wrong with one is a value. */
export async function readIncidentReceipts(source: ReceiptSource, of: ReceiptsOf): Promise<StoredIncidents> {
  const incidents: OpenedIncident[] = [];
  const ignored: IgnoredReceipt[] = [];
  for (const id of await listIds(source, of, 'incident-')) {
    try {
      const found = await readIncidentReceipt(source, id, of);
      if (found !== undefined) incidents.push({ incident: found.incident, sha256: found.sha256 });
    } catch (error) {
      ignored.push({ id, failure: requireReceiptFault(error) });
    }
  }
  return { incidents, ignored };
}

async function bytesOf(source: ReceiptSource, key: string): Promise<Buffer | undefined> {
  try {
    return await readSmall(await source.get(key), key);
  } catch (error) {
    if (isFailure(error, 'ObjectMissing')) return undefined;
    throw error;
  }
}

/** All receipts of a lane. What is wrong with one is a value, and no reason not to read the others. */
export async function readReceipts(source: ReceiptSource, of: ReceiptsOf): Promise<StoredReceipts> {
  const receipts: OpenedReceipt[] = [];
  const ignored: IgnoredReceipt[] = [];
  const ids = await listIds(source, of, '');
  for (let at = 0; at < ids.length; at += limits.receiptsAtOnce) {
    const looks = ids.slice(at, at + limits.receiptsAtOnce).map((id) => look(source, id, of));
    for (const found of await Promise.all(looks)) {
      if ('failure' in found) ignored.push(found);
      else receipts.push(found);
    }
  }
  return { receipts, ignored };
}

async function look(source: ReceiptSource, id: string, of: ReceiptsOf): Promise<OpenedReceipt | IgnoredReceipt> {
  try {
    const { receipt, sha256 } = await readReceipt(source, id, of);
    return { receipt, sha256 };
  } catch (error) {
    return { id, failure: requireReceiptFault(error) };
  }
}

async function opened(
  source: ReceiptSource,
  { lane, id, signal }: { readonly lane: string; readonly id: string; readonly signal: AbortSignal | undefined },
): Promise<Readable> {
  try {
    return await source.get(receiptKey(lane, id), signal ? { signal } : {});
  } catch (error) {
    if (!isFailure(error, 'ObjectMissing')) throw error;
    throw new Failure('ReceiptMissing', `the store has no receipt ${id} of lane ${lane}`, { lane });
  }
}

async function readSmall(stream: Readable, id: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > limits.receiptBytes)
      throw new Failure('ReceiptDamaged', `receipt ${id} has more than ${limits.receiptBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
