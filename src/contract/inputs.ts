// What each workflow takes: one JSON object, so that the Temporal UI's form can start it. Unknown keys are
// errors; a bad object fails at once with InvalidInput, before anything was touched.

import { z } from 'zod';
import { limits } from '../domain/limits.ts';
import { archiveNamePattern } from '../domain/old-archive.ts';
import { verifySamples } from './verify.ts';
import { bundleIdPattern, components, lanePattern, tiers } from '../domain/terms.ts';

const lane = z
  .string()
  .regex(lanePattern, 'a lane id: lower-case letters, digits and inner dashes')
  .describe('the lane, as fleet.yaml names it');
const bundle = z.string().regex(bundleIdPattern, 'a bundle id, like 20261122T031500Z-1a2b3c4d');
const archive = z
  .string()
  .regex(archiveNamePattern, 'the name of an archive below the folder or store of archives')
  .describe('an archive of the old scripts, by its name where `archives` of the fleet file says');
const waitMs = z
  .int()
  .min(0)
  .max(24 * 3600 * 1000)
  .optional()
  .describe(
    'how long to wait for another operation on the lane, in milliseconds; default: waitForLane of the fleet file',
  );

const streams = z
  .int()
  .min(1)
  .max(limits.streamsPerLane)
  .optional()
  .describe('streams at the same time; default and most: `limits.streams` of the fleet file');
const fleetDigest = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'the SHA-256 of the fleet file')
  .describe('the fleet file that the starter saw');
/** What a run over many lanes tells each of them. */
const fromFleetRun = {
  streams,
  fleetDigest: fleetDigest.optional().describe('refused (FleetChanged) when the worker holds another fleet file'),
};

const openclawVersion = z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$/, 'a version of OpenClaw, like 2026.9.6');

const tier = z.enum(tiers).default('A').describe('A: class 1; B: and class 2; C: the whole lane');

export const BackupLaneInput = z.strictObject({ lane, tier, waitMs, ...fromFleetRun });
export type BackupLaneInput = z.infer<typeof BackupLaneInput>;

/** What to restore and where from: shared by the workflow and its section. */
const restoreChoice = {
  bundle: bundle
    .optional()
    .describe(
      'this bundle; none: the newest proven one, else the newest; with at, only or layered the newest that fits',
    ),
  at: z.iso.datetime().optional().describe('the newest bundle captured at or before this instant'),
  only: z.enum(components).optional().describe('one component alone'),
  layered: z
    .boolean()
    .default(false)
    .describe('class 2 from the newest bundle that has it, class 1 from the newest of all'),
  acceptVersion: z
    .boolean()
    .default(false)
    .describe("restore although OpenClaw's version is outside every profile's range"),
  archive: archive.optional(),
  acceptRunning: z
    .boolean()
    .optional()
    .describe('restore although the gateway still runs on the host that the bundle is of'),
  pin: z
    .boolean()
    .optional()
    .describe("roll OpenClaw's version back too, to the bundle's, by the pin hook, while the gateway is stopped"),
  stopFirst: z
    .boolean()
    .optional()
    .describe('stop the gateway before anything is fetched: where it is itself the harm'),
};

/** What a fleet restore saw before the lane had to wait for its turn. */
const lastRestore = bundle
  .nullable()
  .optional()
  .describe(
    'the last restore of the lane as the starter saw it: refused (RestoredMeanwhile) when there is a later one',
  );

const into = z
  .enum(['live', 'sandbox'])
  .default('live')
  .describe('the lane itself, or a private directory beside it that is removed in the end');
const dryRun = z.boolean().default(false).describe('check and plan only; nothing is changed');

export const RestoreLaneInput = z
  .strictObject({
    lane,
    ...restoreChoice,
    into,
    dryRun,
    undo: z.boolean().default(false).describe('go back to the tree that the last restore replaced'),
    lastRestore,
    waitMs,
    ...fromFleetRun,
  })
  .refine((input) => !(input.bundle && input.at), { path: ['at'], message: 'give either bundle or at' })
  .refine((input) => !(input.archive && (input.bundle || input.at || input.layered || input.undo)), {
    path: ['archive'],
    message: 'archive goes without bundle, at, layered and undo',
  })
  .refine((input) => !(input.undo && (input.bundle || input.at || input.only || input.layered || input.dryRun)), {
    path: ['undo'],
    message: 'undo takes no bundle, at, only, layered or dryRun',
  })
  .refine((input) => !((input.pin || input.stopFirst) && (input.undo || input.into === 'sandbox')), {
    path: ['pin'],
    message: 'pin and stopFirst are for a live restore',
  });
export type RestoreLaneInput = z.infer<typeof RestoreLaneInput>;

export const Operation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('settle') }),
  z.strictObject({ kind: z.literal('backup'), tier: z.enum(tiers), bundle, streams }),
  z.strictObject({
    kind: z.literal('restore'),
    restore: bundle.describe('the id of this restore, made like a bundle id'),
    ...restoreChoice,
    into: z.enum(['live', 'sandbox']),
    dryRun: z.boolean(),
    lastRestore,
    streams,
    requestedAt: z.iso
      .datetime()
      .optional()
      .describe('when it was asked for: what passed until its section is waiting'),
  }),
  z.strictObject({
    kind: z.literal('upgrade'),
    bundle: bundle.describe('the id of the bundle that is taken first'),
    to: openclawVersion.optional(),
    acceptVersion: z.boolean(),
    dryRun: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('import'), archive }),
  z.strictObject({ kind: z.literal('undo') }),
  z.strictObject({ kind: z.literal('prune') }),
  z.strictObject({ kind: z.literal('stop'), by: z.string().min(1).max(255) }),
  z.strictObject({ kind: z.literal('sweep'), minAgeMs: z.int().min(0) }),
  z.strictObject({ kind: z.literal('expire'), dryRun: z.boolean() }),
]);
export type Operation = z.infer<typeof Operation>;

export const LaneSectionInput = z.strictObject({
  lane,
  fleetDigest,
  operation: Operation,
});
export type LaneSectionInput = z.infer<typeof LaneSectionInput>;

/** Which lanes a run over many takes: exactly one of the three. */
const laneChoice = {
  all: z.boolean().default(false).describe('every lane of the fleet'),
  host: z.string().regex(lanePattern, 'a host, as fleet.yaml names it').optional().describe('the lanes of this host'),
  lanes: z
    .array(lane)
    .min(1)
    .max(limits.lanesPerFleet)
    .refine((names) => new Set(names).size === names.length, 'a lane is named twice')
    .optional()
    .describe('these lanes, in the order in which they are to come where they must wait'),
};
const oneOfThree = { path: ['lanes'], message: 'give exactly one of all, host and lanes' };
function isOneChoice({ all, host, lanes }: { all: boolean; host?: unknown; lanes?: unknown }): boolean {
  return [all, host !== undefined, lanes !== undefined].filter(Boolean).length === 1;
}

export const BackupFleetInput = z.strictObject({ ...laneChoice, tier, waitMs }).refine(isOneChoice, oneOfThree);
export type BackupFleetInput = z.infer<typeof BackupFleetInput>;

export const RestoreFleetInput = z
  .strictObject({
    ...laneChoice,
    bundles: z
      .record(lane, bundle)
      .optional()
      .describe('the bundle of a lane, by its name; a lane that is not named: the newest proven one, else the newest'),
    at: restoreChoice.at,
    only: restoreChoice.only,
    layered: restoreChoice.layered,
    acceptVersion: restoreChoice.acceptVersion,
    into,
    dryRun,
    waitMs: waitMs.describe(
      'how long to wait for another operation on a lane, in milliseconds; default 0: a lane that another run restores is left to it',
    ),
  })
  .refine(isOneChoice, oneOfThree);
export type RestoreFleetInput = z.infer<typeof RestoreFleetInput>;

export const SweepStoreInput = z.strictObject({
  lane,
  minAgeMs: z.int().min(0).default(limits.sweepMinAgeMs).describe('objects younger than this stay, in milliseconds'),
  waitMs,
});
export type SweepStoreInput = z.infer<typeof SweepStoreInput>;

export const ImportArchiveInput = z.strictObject({ lane, archive, waitMs });
export type ImportArchiveInput = z.infer<typeof ImportArchiveInput>;

export const UpgradeLaneInput = z.strictObject({
  lane,
  to: openclawVersion.optional().describe('the version of OpenClaw to install; none: the upgrade hook chooses'),
  acceptVersion: z
    .boolean()
    .default(false)
    .describe("keep a version that is outside the profile's range: Clawback may not know its layout"),
  dryRun,
  waitMs,
});
export type UpgradeLaneInput = z.infer<typeof UpgradeLaneInput>;

export const ExpireBundlesInput = z.strictObject({
  lane,
  dryRun: z.boolean().default(false).describe('say what would expire, and why the rest is kept; nothing is changed'),
  waitMs,
});
export type ExpireBundlesInput = z.infer<typeof ExpireBundlesInput>;

export const ReplicateBundleInput = z.strictObject({
  lane,
  bundle: bundle
    .optional()
    .describe('this bundle, its objects at the replica looked at again; none: all that the replica does not have yet'),
});
export type ReplicateBundleInput = z.infer<typeof ReplicateBundleInput>;

export const VerifyBundleInput = z.strictObject({
  lane,
  bundle: bundle.optional().describe('this bundle; none: every bundle of the lane, what they share once'),
  store: z.string().regex(lanePattern).optional().describe("the lane's store, or its replica; none: the lane's store"),
  sample: z
    .enum(verifySamples)
    .default('due')
    .describe('what is opened, beyond comparing all digests: segments whose turn it is, all, or none'),
});
export type VerifyBundleInput = z.infer<typeof VerifyBundleInput>;
