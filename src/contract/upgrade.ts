// What a guarded upgrade answers, and where one goes back to that went wrong.

import type { HookSteps } from './hooks.ts';
import type { PreUpgrade } from '../domain/pre-upgrade.ts';

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

/** The bundle to go back to from a bad upgrade, and why that one (domain/pre-upgrade.ts). */
export interface PreUpgradeChoice {
  readonly bundle: string;
  /** OpenClaw's in it. */
  readonly version: string | null;
  readonly capturedAt: string;
  readonly because: PreUpgrade['because'];
}

/** On the vault's queue. */
export interface UpgradeSteps extends HookSteps {
  /** @param input.now OpenClaw's version on the host. Reads only. FleetChanged, NoRestorePoint. */
  choosePreUpgrade(input: {
    readonly lane: string;
    readonly fleetDigest: string;
    readonly now: string | null;
  }): Promise<PreUpgradeChoice>;
}
