// The gate's own activities: what each takes and answers.

import type { OnLane } from './step-types.ts';
import type { GateState } from './gate.ts';
import type { KeychainItem, LaneTarget } from '../domain/lane-target.ts';

export interface HostLook {
  /** Of the fullest volume of the lanes, 0 to 1, as df's capacity column has it. */
  readonly diskUsedRatio: number;
  /** What users may fill of that volume: used and free. */
  readonly diskTotalBytes: number;
  readonly memoryUsedRatio: number;
  readonly memoryTotalBytes: number;
}

/** On the queue of the host steps. */
export interface GateHostSteps {
  /** Disk and memory of a host, by the volumes of its lanes. Changes nothing. UnknownLane when it has none. */
  lookAtHost(input: { readonly host: string }): Promise<HostLook>;
  /**
   * When the day begins that follows the local day of an instant.
   * @param input.minute of the local day; null: that of the instant
   */
  nextGateDay(input: {
    readonly timeZone: string;
    readonly after: string;
    readonly minute: number | null;
  }): Promise<{ readonly at: string; readonly minute: number }>;
  /** What the node's own log of backups says of a bundle of the lane; null when it has no line of it. */
  readBackupLog(
    input: OnLane & { readonly bundle: string },
  ): Promise<{ readonly outcome: string; readonly manifestSha256: string } | null>;
}

export interface GateReceiptRequest {
  readonly state: GateState;
  readonly target: LaneTarget;
  readonly store: string;
  readonly replica?: string | undefined;
  readonly region: string;
  readonly fleetDigest: string;
  readonly id: string;
  readonly workflow: { readonly id: string; readonly runId: string };
  readonly openclaw: string | null;
}

/** On the vault's queue. */
export interface GateVaultSteps {
  /** Does every key that a recovery needs resolve, and every store answer? What does not, in words. */
  checkKeys(input: {
    readonly stores: readonly string[];
    readonly lanes: readonly { readonly lane: string; readonly secrets: readonly KeychainItem[] }[];
  }): Promise<{ readonly problems: readonly string[] }>;
  /** Makes Temporal's schedules those of the fleet file. May be called again. */
  applySchedules(): Promise<{ readonly schedules: number }>;
  /** Signs and writes what a gate showed; one that is there already with the same content is this one. As `writeReceipt`. */
  writeGateReceipt(input: GateReceiptRequest): Promise<{ readonly receipt: string }>;
}
