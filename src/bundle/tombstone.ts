// The tombstone of a bundle: signed evidence that retention has given it up. From the moment it lies in the store,
// backups reuse nothing that only tombstoned bundles name, and restores do not choose them; the bundle itself goes
// after the grace. It is bound to one manifest by its digest, and its bytes are a pure function of what it says, so
// that writing it twice gives the same object. What the store's clock says of it stands with the object.

import canonicalize from 'canonicalize';
import { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { bundleIdPattern, lanePattern } from '../domain/terms.ts';
import { type EnvelopeKind, openEnvelope, signEnvelope } from '../signing/envelope.ts';

const tombstoneEnvelope: EnvelopeKind = {
  noun: 'tombstone',
  payloadType: 'application/vnd.clawback.tombstone+json',
  damaged: 'BundleDamaged',
  badSignature: 'BundleSignatureBad',
};

const tombstoneSchema = z.strictObject({
  format: z.literal(1),
  fleet: z.string().min(1).max(200),
  lane: z.string().regex(lanePattern),
  bundle: z.string().regex(bundleIdPattern),
  manifestSha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** By Temporal's clock. */
  tombstonedAt: z.iso.datetime(),
});
export type Tombstone = z.infer<typeof tombstoneSchema>;

/** @param signer privateKeyPem: the key that signs manifests. InvalidInput when it is none */
export function encodeTombstone(tombstone: Tombstone, signer: { readonly privateKeyPem: string }): Buffer {
  return signEnvelope(tombstoneEnvelope, Buffer.from(canonicalize(tombstone) as string, 'utf8'), signer.privateKeyPem);
}

export interface OpenTombstoneOptions {
  /** SPKI PEMs of Ed25519 keys, any of which may have signed. */
  readonly publicKeysPem: readonly string[];
  /** What the tombstone must say: that of this very bundle. */
  readonly of: Pick<Tombstone, 'fleet' | 'lane' | 'bundle' | 'manifestSha256'>;
}

/** BundleDamaged, BundleSignatureBad; BundleForeign when it is of another bundle, or of other bytes under its id. */
export function openTombstone(bytes: Buffer, { publicKeysPem, of }: OpenTombstoneOptions): Tombstone {
  if (bytes.length > limits.tombstoneBytes) throw damaged(of.bundle, `it has ${bytes.length} bytes`);
  const { data, error } = tombstoneSchema.safeParse(
    parse(openEnvelope(tombstoneEnvelope, bytes, publicKeysPem), of.bundle),
  );
  if (data === undefined) throw damaged(of.bundle, `it is wrong at ${error?.issues[0]?.path.join('.') || 'its root'}`);
  const other = (['fleet', 'lane', 'bundle', 'manifestSha256'] as const).find((field) => data[field] !== of[field]);
  if (other === undefined) return data;
  throw new Failure('BundleForeign', `the tombstone of bundle ${of.bundle} is of another: ${other} differs`, {
    bundle: of.bundle,
  });
}

function parse(payload: Buffer, bundle: string): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    throw damaged(bundle, 'it is signed, but no JSON');
  }
}

function damaged(bundle: string, why: string): Failure {
  return new Failure('BundleDamaged', `the tombstone of bundle ${bundle} cannot be used: ${why}`, { bundle });
}
