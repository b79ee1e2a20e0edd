// The limits of receipts; part of `limits` (limits.ts).

const KiB = 1024;
const second = 1000;

export const receiptLimits = {
  /** A receipt: some 20 steps × 300 B, 100 warnings × 500 B, and as much again for base64 and room. */
  receiptBytes: 256 * KiB,
  /** How long a finished restore waits for a store or a vault worker to take its receipt: a restart, not an outage. */
  receiptWriteMs: 300 * second,
  receiptOfFailureMs: 30 * second,
  /** Parts of a run in its receipt: a restore has about ten. */
  receiptSteps: 64,
  /** Bundles that one run restores: two when layered. */
  receiptBundles: 8,
  receiptWarnings: 50,
  /** A warning in a receipt; what is longer is cut. */
  receiptTextLength: 500,
  /** Receipts read at the same time: a lane restored daily for a year has 365, at 50 ms each ÷ 8 ≈ 2 s. */
  receiptsAtOnce: 8,
} as const;
