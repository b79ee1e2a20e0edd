// Where the lanes of a lost host are, until fleet.yaml says so: the workflow keepMoved has it in its memo, and every
// operation asks for that before it takes a lane's host from the file. Inputs of workflows still name lanes and nothing
// else: a placement counts only with the signature of a vault worker, for secrets will be put there.

import { z } from 'zod';
import { limits } from '../domain/limits.ts';
import { lanePattern } from '../domain/terms.ts';
import { hostSchema } from './fleet-host.ts';

const name = z.string().regex(lanePattern);
const lanes = z.array(name).min(1).max(limits.lanesPerHost);

/** A host that a hook or an operator brought: what the fleet file would say of it; the rest is as the lost host had it. */
export const HostRecord = hostSchema
  .pick({ address: true, port: true, user: true, hostKey: true })
  .extend({ region: z.exactOptional(hostSchema.shape.region) });
export type HostRecord = z.infer<typeof HostRecord>;

/** A host that takes lanes over: one of the fleet by its name, or one that came during the incident. */
export const PlacedHost = z.strictObject({ host: name, record: HostRecord.optional() });
export type PlacedHost = z.infer<typeof PlacedHost>;

/** What a vault worker signs: one incident moves these lanes to that host. */
export const Placement = z.strictObject({
  fleet: name,
  /** The workflow that keeps it, and the incident's run that decided it. */
  keeper: z.string().max(200),
  incident: z.string().max(200),
  runId: z.string().max(64),
  lostHost: name,
  lanes,
  on: PlacedHost,
  /** By the vault worker's clock. */
  vouchedAt: z.iso.datetime(),
});
export type Placement = z.infer<typeof Placement>;

/** The memo of keepMoved; `lanes`: those that are still there. */
export const MovedMemo = z.strictObject({
  placement: Placement,
  envelope: z.string().max(8192),
  lanes: z.array(name).max(limits.lanesPerHost),
});
export type MovedMemo = z.infer<typeof MovedMemo>;
export const movedMemo = 'moved';

export const KeepMovedInput = z.strictObject({
  placement: Placement,
  envelope: MovedMemo.shape.envelope,
});
export type KeepMovedInput = z.infer<typeof KeepMovedInput>;

/** A keeper that runs, as the Temporal service has it. */
export interface Keeper {
  readonly workflowId: string;
  readonly startedAt: string;
  /** Not checked yet. */
  readonly memo: unknown;
}

/** Signal `withdraw`: lanes that did not come back there are again where the file says. */
export const WithdrawInput = z.strictObject({ lanes });
/** Update `gone`: somebody knows that the lost host never comes back. */
export const GoneInput = z.strictObject({ by: z.string().min(1).max(80) });
export type GoneInput = z.infer<typeof GoneInput>;

export const movedMessages = { withdraw: 'withdraw', gone: 'gone', moved: 'moved' } as const;

/** The lost host: not seen again; its gateways stopped and disabled; another machine at its address; by somebody's word. */
export type LostHostState = 'silent' | 'stopped' | 'foreign' | 'gone';

/** The answer of the query `moved`, and of the workflow when it ends. */
export interface MovedState {
  readonly lostHost: string;
  readonly lanes: readonly string[];
  readonly on: PlacedHost;
  readonly incident: string;
  readonly lost: LostHostState;
  /** Does the fleet file of the workers say so by now? */
  readonly inFleetFile: boolean;
  /** What is to stand in fleet.yaml, line by line. */
  readonly fleetLines: readonly string[];
}
