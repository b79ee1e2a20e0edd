// The records of verifications, beside the bundles: created, never overwritten, each the whole of what is known, so that
// the newest alone is read. One that cannot be read is none: then everything is due again.

import { verificationKey, verificationsPrefix } from '../../bundle/object-keys.ts';
import { type InStore, type VerifyRecord, verifyRecordSchema } from '../../contract/verify.ts';
import { isFailure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import type { Deps } from '../deps.ts';
import { readWhole } from '../read-whole.ts';

export async function newestRecord(
  deps: Deps,
  { fleet, lane, store }: InStore,
  signal: AbortSignal,
): Promise<VerifyRecord | undefined> {
  let newest: string | undefined;
  for await (const { key, sizeBytes } of deps.store(store).list(verificationsPrefix(lane), { signal })) {
    if (sizeBytes <= limits.manifestBytes) newest = key;
  }
  if (newest === undefined) return undefined;
  const record = parse(await readWhole(await deps.store(store).get(newest, { signal })));
  return record?.fleet === fleet && record.lane === lane ? record : undefined;
}

function parse(bytes: Buffer): VerifyRecord | undefined {
  try {
    return verifyRecordSchema.safeParse(JSON.parse(bytes.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** One that is there already is this run's, of an attempt whose answer was lost. */
export async function writeRecord(
  deps: Deps,
  { lane, store, run }: Pick<InStore, 'lane' | 'store'> & { readonly run: string },
  record: VerifyRecord,
  signal: AbortSignal,
): Promise<void> {
  try {
    await deps.store(store).put(verificationKey(lane, run), Buffer.from(`${JSON.stringify(record)}\n`), { signal });
  } catch (error) {
    if (!isFailure(error, 'ObjectExists')) throw error;
  }
}
