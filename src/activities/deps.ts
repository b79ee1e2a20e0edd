// What activities need and may not fetch themselves: the fleet, keys, stores, connections. `worker.ts` gives
// the real ones; a worker that lacks a key fails only the steps that need it.

import type { WatchedPlace } from '../contract/watch-types.ts';
import type { Recipient } from '../bundle/seal.ts';
import type { HookKind } from '../contract/hooks.ts';
import type { FleetPlaybooks } from '../contract/fleet-playbooks.ts';
import type { LaneSpec } from '../contract/lane-spec.ts';
import type { HostFacts } from '../contract/losses.ts';
import type { HostRecord, Keeper, PlacedHost } from '../contract/placement.ts';
import type { WorkflowRun } from '../contract/receipt-types.ts';
import type { FleetCaps, Holder } from '../contract/step-types.ts';
import type { CommandCall, HttpCall } from '../hook/hook-call.ts';
import type { HostPool } from '../lane/host-pool.ts';
import type { HostTarget, LaneTarget } from '../domain/lane-target.ts';
import type { SignalRules } from '../domain/signals.ts';
import type { RpoRules } from '../domain/rpo.ts';
import type { ArchiveSource } from '../store/archive-source.ts';
import type { Store } from '../store/store.ts';

export interface FleetView {
  readonly name: string;
  readonly digest: string;
  readonly lanes: readonly string[];
  readonly caps: FleetCaps;
  readonly watched: WatchedFleet;
  readonly rpoRules: RpoRules;
  /** Null when nothing is scheduled that holds class 2. */
  classTwoRpoMs(lane: string): number | null;
  /** As the file has it; `placed`: on the host that a recovery put it on. Throws UnknownLane, PlacementBad. */
  laneSpec(lane: string, placed?: PlacedHost): LaneSpec;
  /** Undefined when the file has no such host. */
  hostFacts(host: string): HostFacts | undefined;
  readonly hosts: readonly string[];
  /** Undefined when the file has no such store. */
  storeRegion(store: string): string | undefined;
  /** Of a host that came during an incident, as the file would have it; profile and the like are the lost host's. */
  newHostLines(lostHost: string, placed: Required<PlacedHost> & { readonly record: HostRecord }): readonly string[];
  /** Undefined when the file has no such host. */
  hostTarget(host: string): HostTarget | undefined;
  readonly playbooks: FleetPlaybooks;
  /** The lane as it would be on another host of the fleet; undefined when the fleet has no such host (any more). */
  laneOn(lane: string, host: string): LaneTarget | undefined;
}

/** What the watch looks at, by the fleet file. */
export interface WatchedFleet {
  readonly rules: SignalRules;
  readonly hosts: readonly { readonly host: string; readonly region: string }[];
  readonly controls: readonly WatchedPlace[];
  /** Of S3 stores, where they answer. */
  readonly stores: readonly WatchedPlace[];
}

/** Where archives of the old scripts lie, and how they are decrypted. */
export interface Archives {
  readonly source: ArchiveSource;
  /** Undefined when the fleet file gives none. SecretUnavailable. */
  passphrase(): Promise<Buffer | undefined>;
  /** gpg's own folder, for what was encrypted to a public key; absolute. */
  readonly gpgHome: string | undefined;
}

export interface Keys {
  /** 32 bytes, for fingerprints. SecretUnavailable. */
  fingerprint(): Promise<Buffer>;
  manifestSigner(): Promise<{ readonly privateKeyPem: string }>;
  manifestPublicKeysPem(): Promise<readonly string[]>;
  /** The vault's. SecretUnavailable, also when the fleet has none. */
  receiptSigner(): Promise<{ readonly privateKeyPem: string }>;
  /** None when the fleet has no receipt key. */
  receiptPublicKeysPem(): Promise<readonly string[]>;
  recipients(): Promise<readonly Recipient[]>;
  /** The vault's private key and the name it has among the recipients. */
  opening(): Promise<{ readonly name: string; readonly privateKeyPem: string }>;
}

/** A hook with its secrets, to be called and forgotten. */
export interface ResolvedHook {
  readonly call: CommandCall | HttpCall;
  readonly secrets: readonly string[];
  /** Of one attempt. */
  readonly timeoutMs: number;
  readonly attempts: number;
}

/** The hooks of the fleet file. */
export interface Hooks {
  readonly kinds: readonly HookKind[];
  /** Undefined when there is none of that kind. SecretUnavailable. */
  resolve(kind: HookKind): Promise<ResolvedHook | undefined>;
}

/** How often one activity had to be tried, and by which event of the history it was scheduled. */
export interface ActivityAttempts {
  readonly eventId: number;
  readonly attempts: number;
}

/** The Temporal service, as far as activities ask it. */
export interface TemporalView {
  hasPoller(queue: string): Promise<boolean>;
  describeHolder(workflowId: string): Promise<Holder | null>;
  /** Of these workflow ids, those that run and keep where lanes are. */
  movedLanes(workflowIds: readonly string[]): Promise<readonly Keeper[]>;
  /** Of the activities in a run's history, those that have ended. */
  activityAttempts(run: WorkflowRun): Promise<readonly ActivityAttempts[]>;
}

/** As whom a store is opened: `backup` puts and lists; `vault` gets too, and deletes as who may. */
export type StoreUse = 'backup' | 'vault';

export interface Deps {
  /** Clawback's own. */
  readonly version: string;
  readonly fleet: FleetView;
  readonly keys: Keys;
  readonly pool: HostPool;
  readonly temporal: TemporalView;
  readonly hooks: Hooks;
  /** As the queue's worker may use it. Throws InvalidFleet for a store that the fleet does not have. */
  store(name: string): Store;
  /** Throws InvalidFleet when the fleet file names no place of archives. */
  archives(): Archives;
  /**
   * Makes Temporal's schedules those of the fleet file; how many those are. May be called again.
   * @param zones of every host with lanes, by its name
   */
  applySchedules(zones: Readonly<Record<string, string>>): Promise<number>;
  /** Undefined when the fleet file gives none. SecretUnavailable. */
  keychainPassword(lane: string): Promise<string | undefined>;
}

/** What a worker brings: its stores still open for any use. */
export interface WorkerDeps extends Omit<Deps, 'store'> {
  store(name: string, use: StoreUse): Store;
}
