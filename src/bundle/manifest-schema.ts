// The fields of a manifest, format 1. Strict: an unknown field is refused, for whoever wrote it meant something by it.
// All numbers are integers, so that the canonical JSON of one manifest is one string.

import { z } from 'zod';
import { limits } from '../domain/limits.ts';
import { bundleIdPattern, components, lanePattern, tiers } from '../domain/terms.ts';
import { segmentBases } from './classify.ts';
import { segmentKinds } from './fingerprint.ts';
import { fingerprintPattern, suffixPattern } from './object-keys.ts';

export const manifestFormat = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
const text = z.string().min(1).max(200);
const instant = z.iso.datetime();
const reason = z.string().regex(/^[a-z0-9-]{1,60}$/);

const sealedObject = {
  suffix: z.string().regex(suffixPattern),
  sealedBytes: count,
  sealedSha256: sha256,
  versionId: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .max(limits.versionIdBytes)
    .optional(),
};

const segment = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]{1,40}$/),
  component: z.enum(components),
  kind: z.enum(segmentKinds),
  base: z.enum(segmentBases),
  range: z.strictObject({ offset: count, length: count }).optional(),
  supplement: z.boolean(),
  fingerprint: z.string().regex(fingerprintPattern),
  reusable: z.boolean(),
  ...sealedObject,
  plainBytes: count,
  members: count,
  index: z.strictObject(sealedObject),
});

/** A lane is restored onto another host only when these are the same there. Left out by the first builds. */
const laneOnHost = { user: text.optional(), home: z.string().min(1).max(1024).optional(), port: z.int().optional() };

/** Made of an archive of the old scripts: its capture time is the archive's, and its host is not known. */
const imported = z.strictObject({ archive: text, sizeBytes: count, sha256 });

const totals = z.strictObject({ segments: count, plainBytes: count, members: count });

export const manifestSchema = z.strictObject({
  format: z.literal(manifestFormat),
  bundle: z.string().regex(bundleIdPattern),
  fleet: text,
  lane: z.string().regex(lanePattern),
  tier: z.enum(tiers),
  profile: text,
  createdAt: instant,
  capturedAt: instant,
  host: z.strictObject({ name: text, region: text, os: text, openclawVersion: text.optional(), ...laneOnHost }),
  clockOffsetMs: z.int(),
  consistency: z.enum(['compared', 'cloned']),
  predecessor: z.strictObject({ bundle: z.string().regex(bundleIdPattern), sha256 }).optional(),
  suspect: z.array(reason).optional(),
  imported: imported.optional(),
  components: z.partialRecord(z.enum(components), totals),
  segments: z.array(segment).max(2 * limits.segmentsPerBundle),
  omissions: z.array(z.strictObject({ reason, count })),
  recipients: z
    .array(z.strictObject({ name: text, fingerprint: sha256 }))
    .min(1)
    .max(limits.recipientsPerBundle),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestSegment = Manifest['segments'][number];
export type ComponentTotals = z.infer<typeof totals>;
