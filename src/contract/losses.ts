// The loss of a host or a region: what is asked of standbys, and what the plan of the recovery says.

import type { PlacedHost, Placement } from './placement.ts';

export interface PrepareHost extends PlacedHost {
  readonly fleetDigest: string;
  /** That are to run there, of one lost host. */
  readonly lanes: readonly string[];
  /** Of all their data, when it is known what comes. HostUnfit when there is less. */
  readonly neededBytes: number;
  /** Looks only. */
  readonly dryRun: boolean;
}

export interface PreparedHost {
  readonly host: string;
  readonly arch: string;
  readonly freeBytes: number;
  /** Null where no account is there yet that could be asked as. */
  readonly os: string | null;
  readonly openclawVersion: string | null;
  /** Accounts by name. `missing` only in a dry run. */
  readonly created: readonly string[];
  readonly present: readonly string[];
  readonly missing: readonly string[];
  readonly warnings: readonly string[];
}

export interface StopLeft {
  readonly lane: string;
  /** The host that it has left, as the fleet file names it. */
  readonly host: string;
  /** Of the fence that it takes there. */
  readonly startedMs: number;
}

/** On the hosts' queue. */
export interface LossHostSteps {
  /**
   * Makes a host ready for lanes: their accounts and homes, asked for and made where they are missing; sudo, tools, room and
   * architecture are looked at. May be called again. HostUnfit, SudoRefused, ToolMissing, LaneUserMissing, FleetChanged, and
   * what a connection throws.
   */
  prepareHost(input: PrepareHost): Promise<PreparedHost>;
  /**
   * Waits until a host of the fleet file answers again: `foreign` is another machine at its address. Asks every
   * limits.lostHostEveryMs; `silent` when it has not by `waitMs`. Changes nothing.
   */
  awaitHost(input: { readonly host: string; readonly waitMs: number }): Promise<{
    readonly state: 'silent' | 'answers' | 'foreign';
  }>;
  /**
   * Stops a lane's gateway on the host that it has left, and tells launchd to keep it down over a reboot; settles nothing
   * there and starts nothing. May be called again. GatewayWouldNotStop and what a connection throws.
   */
  stopLeft(input: StopLeft): Promise<{ readonly ran: boolean }>;
  /** Which of these lanes the worker's fleet file has where the incident put them, and the lines for it when not all. */
  readMoved(input: { readonly lostHost: string; readonly lanes: readonly string[]; readonly on: PlacedHost }): Promise<{
    readonly moved: readonly string[];
    readonly fleetLines: readonly string[];
  }>;
}

/** A host of the fleet file, and its lanes there. */
export interface HostFacts {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** Whom SSH logs in as. */
  readonly login: string;
  readonly region: string;
  readonly profile: string;
  readonly arch: string | null;
  readonly standby: boolean;
  readonly lanes: readonly { readonly lane: string; readonly user: string; readonly port: number }[];
}

/** And what a new machine in its stead gets. */
export interface LostHost extends HostFacts {
  /** A name that the fleet file does not have yet. */
  readonly newName: string;
  /** Its own; of a lost region that of the store with the copies, where fetching them is quick. */
  readonly newRegion: string;
}

export interface FindRefuge {
  readonly fleetDigest: string;
  /** Lost, with all their lanes. */
  readonly hosts: readonly string[];
  /** Lost too: nothing goes to hosts there, and stores there are not read. */
  readonly lostRegion?: string | undefined;
  /** Only this one. */
  readonly standby?: string | undefined;
}

/** Where the lanes of one lost host can go. */
export interface Refuge {
  readonly host: string;
  /** The standby; null when none fits. */
  readonly to: string | null;
  /** Of OpenClaw in the bundles. */
  readonly version: string | null;
  readonly neededBytes: number;
  readonly lanes: readonly { readonly lane: string; readonly fromReplica: boolean }[];
  /** Lanes of which no copy is left, and why. */
  readonly beyond: readonly { readonly lane: string; readonly why: string }[];
  /** Why a standby was passed over, one sentence each. */
  readonly notes: readonly string[];
}

/** On the vault's queue. */
export interface LossVaultSteps {
  /** What the fleet file says of hosts. UnknownHost, FleetChanged. */
  describeLost(input: Omit<FindRefuge, 'standby'>): Promise<readonly LostHost[]>;
  /** The same of a standby. */
  describeHost(input: { readonly fleetDigest: string; readonly host: string }): Promise<HostFacts>;
  /**
   * For each lost host the first standby that can take its lanes, in its own region first, looked at over SSH; no standby
   * takes two hosts, for their accounts and ports would meet. Changes nothing. AlreadyMoved, FleetChanged, what stores throw.
   */
  findRefuge(input: FindRefuge): Promise<readonly Refuge[]>;
  /** Signs that an incident puts lanes onto a host. PlacementBad, UnknownLane, SecretUnavailable. */
  vouchHost(input: Omit<Placement, 'vouchedAt'>): Promise<{ readonly placement: Placement; readonly envelope: string }>;
}
