// What an operation knows of a lane: the snapshot that the first activity of a section puts into history (≤ 16 KB),
// and its slice, the target, that goes into every activity's input (≤ 1 KB). Names and numbers only, no secret.

import { z } from 'zod';
import { defaultTools, type HostTarget, type KeychainItem, type LaneTarget, type Tool } from '../domain/lane-target.ts';

const toolNames = Object.keys(defaultTools) as [Tool, ...Tool[]];
const text = z.string().min(1).max(1024);
const port = z.int().min(1).max(65_535);

export const hostTargetSchema = z
  .strictObject({
    name: text,
    address: text,
    port,
    user: text,
    hostKey: text,
    root: text,
    tools: z.partialRecord(z.enum(toolNames), text).readonly(),
  })
  .readonly();

export const laneTargetSchema = z
  .strictObject({
    fleet: text,
    lane: text,
    host: hostTargetSchema,
    user: text,
    home: text,
    label: text,
    domain: text,
    port,
    profile: text,
    keychain: text,
  })
  .readonly();

export const keychainItemSchema = z.strictObject({ service: text, account: text }).readonly();

const durationMs = z.int().min(1);

export const restoreBudgetsSchema = z
  .strictObject({
    rtoMs: durationMs,
    stepMs: z.strictObject({ stop: durationMs, tree: durationMs, secrets: durationMs, smoke: durationMs }).readonly(),
  })
  .readonly();

export const laneSpecSchema = z
  .strictObject({
    fleet: text,
    /** SHA-256 of the fleet file's bytes, hex. */
    fleetDigest: z.string().regex(/^[0-9a-f]{64}$/),
    lane: text,
    target: laneTargetSchema,
    /** Of the host. */
    region: text,
    /** IANA; absent when the host is to be asked. */
    timeZone: z.exactOptional(text),
    /** Name of the store that its bundles go to. */
    store: text,
    /** Name of that store's replica, where it has one. */
    replica: z.exactOptional(text),
    profile: text,
    secrets: z.array(keychainItemSchema).readonly(),
    messageToken: z.exactOptional(keychainItemSchema),
    exclude: z.array(text).readonly(),
    budgets: restoreBudgetsSchema,
    rpoMs: durationMs,
    /** How many days, weeks and months keep their bundle. */
    retention: z
      .strictObject({ daily: z.int().min(1), weekly: z.int().min(0), monthly: z.int().min(0), graceMs: durationMs })
      .readonly(),
    hasKeychainPassword: z.boolean(),
    /** Within which verification opens every segment. */
    verifyWithinMs: durationMs,
    /** What the operator set under `limits`. */
    limits: z
      .strictObject({ streams: z.int().min(1), waitForLaneMs: durationMs, segmentBytes: z.int().min(1) })
      .readonly(),
  })
  .readonly();

export type LaneSpec = z.infer<typeof laneSpecSchema>;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Flat<T> = T extends object ? { [K in keyof T]: Flat<T[K]> } : T;

// The compiler refuses these lines when a schema and the domain's type part ways.
true satisfies Same<Flat<z.infer<typeof hostTargetSchema>>, Flat<HostTarget>>;
true satisfies Same<Flat<z.infer<typeof laneTargetSchema>>, Flat<LaneTarget>>;
true satisfies Same<z.infer<typeof keychainItemSchema>, KeychainItem>;
