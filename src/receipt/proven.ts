// What makes a restore point proven: a receipt of a passed restore of it (design, "Terms"); no other flag, no lesser
// check. The restore was live, its test message was answered, and all that the bundle holds was restored. So neither a
// sandbox nor `only` proves a bundle. A layered restore proves those of its bundles that it restored whole: the newest,
// of which it takes everything, and not the one below, of which it takes class 2 alone.

import type { OpenedReceipt, Receipt } from './receipt.ts';

export interface Proof {
  /** The newest receipt that proves it. */
  readonly receipt: string;
  /** Of the manifest that was restored: a bundle with another one is not proven by this. */
  readonly manifestSha256: string;
  readonly endedAt: string;
}

/** The proven bundles of a lane, by id. */
export type Proven = ReadonlyMap<string, Proof>;

/** The bundles that one receipt proves. */
export function provenBy(receipt: Receipt): Receipt['bundles'] {
  const { kind, restore, outcome, messageAnswered } = receipt;
  const proves =
    kind === 'restore' && restore.into === 'live' && restore.only === null && outcome === 'passed' && messageAnswered;
  return proves ? receipt.bundles.filter(({ whole }) => whole) : [];
}

/** @param receipts checked ones of one lane, newest first */
export function provenOf(receipts: readonly OpenedReceipt[]): Proven {
  const proven = new Map<string, Proof>();
  for (const { receipt } of receipts) {
    for (const { bundle, manifestSha256 } of provenBy(receipt)) {
      if (!proven.has(bundle)) proven.set(bundle, { receipt: receipt.id, manifestSha256, endedAt: receipt.endedAt });
    }
  }
  return proven;
}

/** The proof of a bundle as it rests in the store; undefined when there is none, or one of another manifest. */
export function proofOf(proven: Proven, bundle: string, manifestSha256: string): Proof | undefined {
  const proof = proven.get(bundle);
  return proof?.manifestSha256 === manifestSha256 ? proof : undefined;
}
