// What the watch asks of hosts, and what it is answered. No name of a file goes through Temporal: files are counted.

import { z } from 'zod';
import { scenarios } from '../domain/incident.ts';
import type { StopResult } from './results.ts';
import type { Mutating } from './step-types.ts';
import type { SettleTries } from '../domain/settle-pace.ts';
import type { FleetSample, HostSample, SignalRules, WatchMemory } from '../domain/signals.ts';

export const WatchFleetInput = z.strictObject({
  rehearse: z.boolean().default(false).describe('incidents that it opens are rehearsals: no alert, no gate'),
});
export type WatchFleetInput = z.infer<typeof WatchFleetInput>;

export interface WatchedHost {
  readonly host: string;
  readonly region: string;
  /** That are on it now; none on a standby. */
  readonly lanes: readonly string[];
}

/** What accepts TCP connections, or should. */
export interface WatchedPlace {
  readonly region: string;
  readonly address: string;
  readonly port: number;
}

/** What is to be watched, by the fleet file, and where lanes are now. */
export interface WatchPlan {
  readonly fleet: string;
  readonly fleetDigest: string;
  readonly rules: SignalRules;
  readonly hosts: readonly WatchedHost[];
  /** Regions that have a control address. */
  readonly controls: readonly string[];
  /** Regions of S3 stores; where no control address is named they are asked instead. */
  readonly stores: readonly string[];
}

/** Of one lane's trees: what belongs to another lane of its host, or is called like its user. */
export interface MixedFiles {
  readonly lane: string;
  readonly owned: number;
  readonly named: number;
  /** The time was over before all had been seen. */
  readonly partly: boolean;
}

/** On the hosts' queue. */
export interface WatchHostSteps {
  describeWatch(): Promise<WatchPlan>;
  /**
   * One look at a host and all its lanes, over one connection. A host that does not answer, or not as it should, is a value.
   * Changes nothing. @param input.countForeign files of other lanes' users are counted too, for some seconds
   */
  sampleHost(input: {
    readonly host: string;
    readonly lanes: readonly string[];
    readonly countForeign: boolean;
  }): Promise<HostSample>;
  /**
   * Stops the lane's gateway, tells launchd to keep it down over a reboot, and proves that none of its processes is left.
   * No journal: nobody starts it again but its next restore. May be called again. GatewayWouldNotStop.
   */
  holdLane(input: Mutating & { readonly by: string }): Promise<StopResult>;
  /** Do the control addresses of the regions accept a connection, or, where none is named, stores out in the world? */
  probeControls(): Promise<Pick<FleetSample, 'controls' | 'stores'>>;
  /** Counts in the trees of lanes of one host what belongs to, or is named for, another lane of it. Changes nothing. */
  countMixed(input: { readonly lanes: readonly string[] }): Promise<readonly MixedFiles[]>;
}

const instantMs = z.number().min(0);
const foreign = z.strictObject({ lane: z.string(), count: z.int() });

/** What a run leaves to the next one. */
export const WatchMemorySchema = z.strictObject({
  format: z.literal(1),
  atMs: instantMs,
  lanes: z.record(
    z.string(),
    z.strictObject({
      runs: z.int().optional(),
      pid: z.int().optional(),
      restarts: z.array(z.tuple([instantMs, z.int()])).optional(),
      silentSinceMs: instantMs.optional(),
      foreign: z.array(foreign).optional(),
    }),
  ),
  hosts: z.record(
    z.string(),
    z.strictObject({
      awaySinceMs: instantMs.optional(),
      full: z.int().optional(),
      filesAtMs: instantMs.optional(),
    }),
  ),
  regions: z.record(z.string(), instantMs),
  signals: z.array(
    z.strictObject({
      scenario: z.enum(scenarios),
      subject: z.string(),
      sinceMs: instantMs,
      goneSinceMs: instantMs.optional(),
      cleared: z.boolean().optional(),
      openedAtMs: instantMs.optional(),
    }),
  ),
}) satisfies z.ZodType<WatchMemory>;

/** What a run leaves to the next one about lanes that do not get settled. */
export const SettleTriesSchema = z.record(
  z.string(),
  z.strictObject({ count: z.int().min(1), lastMs: instantMs }),
) satisfies z.ZodType<SettleTries>;

export interface SignalNow {
  readonly scenario: string;
  readonly subject: string;
  readonly code: string;
  readonly since: string;
  readonly text: string;
}

export interface WatchResult {
  readonly lanes: number;
  readonly unreachable: number;
  /** Lanes that could not be asked for another reason (a changed host key): the others are watched all the same. */
  readonly refused: readonly string[];
  /** Lanes whose settling was started. */
  readonly settling: readonly string[];
  /** Of lanes that are still unsettled: for the next run. */
  readonly tries: SettleTries;
  /** That are there now. */
  readonly signals: readonly SignalNow[];
  /** Ids of incidents that this run opened. */
  readonly opened: readonly string[];
  /** `scenario subject` */
  readonly cleared: readonly string[];
  /** Hosts that are not there, and how. */
  readonly away: readonly string[];
  /** Lanes that a playbook has stopped until their restore. */
  readonly held: readonly string[];
  /** Nothing at all answered: the worker's own network is down, and nothing was judged. */
  readonly cutOff: boolean;
  /** Why it could not look for signals; null: it did. */
  readonly blind: string | null;
  /** For the next run. */
  readonly memory: WatchMemory | null;
}
