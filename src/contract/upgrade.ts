// What a guarded upgrade answers.

export interface UpgradeResult {
  readonly lane: string;
  readonly host: string;
  /** OpenClaw's version before and after; of a plan `to` is what was asked for, null where the hook chooses. */
  readonly from: string;
  readonly to: string | null;
  /** Taken before it: what it would have gone back to. Null of a plan. */
  readonly bundle: string | null;
  readonly dryRun: boolean;
  readonly messageAnswered: boolean;
  /** The hook alone, and all of it. */
  readonly hookMs: number;
  readonly elapsedMs: number;
  /** Id of its receipt; null for a plan, and where none could be written (then a warning says so). */
  readonly receipt: string | null;
  readonly warnings: readonly string[];
}
