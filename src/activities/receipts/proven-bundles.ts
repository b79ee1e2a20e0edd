// Which bundles of a lane are proven, by the receipts in its store. Receipts are read whole and checked each time: they
// are few, and a list of them that was kept would be one more thing to believe.

import { type IgnoredReceipt, readReceipts } from '../../receipt/stored-receipts.ts';
import { type Proven, provenOf } from '../../receipt/proven.ts';
import type { Deps } from '../deps.ts';

/** Receipts that are not believed, told one by one up to this many. */
const doubtsTold = 5;

export interface ProvenBundles {
  /** By bundle id; a bundle is proven when its manifest's digest is the proof's (`proofOf`). */
  readonly proven: Proven;
  /** Damaged, tampered or foreign: to be reported, never to be believed. */
  readonly ignored: readonly IgnoredReceipt[];
}

/** What the store throws; what is wrong with a receipt is among the answers. Nothing is proven where the fleet has no receipt key. May be called again. */
export async function provenBundles(
  deps: Deps,
  of: { readonly fleet: string; readonly lane: string; readonly store: string; readonly signal: AbortSignal },
): Promise<ProvenBundles> {
  const publicKeysPem = await deps.keys.receiptPublicKeysPem();
  if (publicKeysPem.length === 0) return { proven: new Map(), ignored: [] };
  const { fleet, lane, signal } = of;
  const { receipts, ignored } = await readReceipts(deps.store(of.store), { fleet, lane, publicKeysPem, signal });
  return { proven: provenOf(receipts), ignored };
}

/** What an operator is told of them. */
export function doubts(ignored: readonly IgnoredReceipt[]): string[] {
  const told = ignored.slice(0, doubtsTold).map(({ failure }) => `not believed: ${failure.message}`);
  const more = ignored.length - told.length;
  return more > 0 ? [...told, `and ${more} more receipts that are not believed`] : told;
}
