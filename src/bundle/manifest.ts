// The manifest of a bundle: written last, signed, the commit point. Its bytes are a pure function of what it says
// (RFC 8785 canonical JSON, Ed25519), so that writing it twice gives the same object. Before use it is checked in this
// order: size, envelope, signature, format, fields, fleet and lane, and that its fields agree.

import canonicalize from 'canonicalize';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { type EnvelopeKind, openEnvelope, signEnvelope } from '../signing/envelope.ts';
import { sha256Hex } from './digest.ts';
import { manifestFault } from './manifest-rules.ts';
import { type Manifest, manifestFormat, manifestSchema } from './manifest-schema.ts';

export const manifestEnvelope: EnvelopeKind = {
  noun: 'manifest',
  payloadType: 'application/vnd.clawback.manifest+json',
  damaged: 'BundleDamaged',
  badSignature: 'BundleSignatureBad',
};

export { totalsOf } from './manifest-rules.ts';
export type { Manifest, ManifestSegment } from './manifest-schema.ts';

/**
 * @param signer privateKeyPem: PKCS#8 PEM of an Ed25519 key
 * @returns the object to store. InvalidInput naming the field when the manifest or the key is wrong
 */
export function encodeManifest(manifest: Manifest, signer: { readonly privateKeyPem: string }): Buffer {
  const fault = fieldFault(manifest) ?? manifestFault(manifest);
  if (fault !== undefined)
    throw new Failure('InvalidInput', `a manifest cannot be written: ${fault}`, { field: fault.split(':')[0] ?? '' });
  const bytes = signEnvelope(
    manifestEnvelope,
    Buffer.from(canonicalize(manifest) as string, 'utf8'),
    signer.privateKeyPem,
  );
  if (bytes.length > limits.manifestBytes)
    throw new Failure('InvalidInput', tooLarge(bytes.length), { actualBytes: bytes.length });
  return bytes;
}

export interface OpenManifestOptions {
  /** SPKI PEMs of Ed25519 keys, any of which may have signed. */
  readonly publicKeysPem: readonly string[];
  readonly fleet: string;
  readonly lane: string;
}

/**
 * @returns the manifest, checked, and the SHA-256 of its object. BundleDamaged, BundleSignatureBad,
 *   BundleFormatUnknown, BundleForeign; InvalidInput when a public key is none
 */
export function openManifest(
  bytes: Buffer,
  options: OpenManifestOptions,
): { readonly manifest: Manifest; readonly sha256: string } {
  if (bytes.length > limits.manifestBytes)
    throw new Failure('BundleDamaged', tooLarge(bytes.length), { actualBytes: bytes.length });
  const payload = parseJson(openEnvelope(manifestEnvelope, bytes, options.publicKeysPem));
  requireFormat(payload);
  const fault = fieldFault(payload);
  if (fault !== undefined) throw damaged(fault);
  const manifest = payload as Manifest;
  requireOwn(manifest, options);
  const contradiction = manifestFault(manifest);
  if (contradiction !== undefined) throw damaged(contradiction);
  return { manifest, sha256: sha256Hex(bytes) };
}

function requireFormat(payload: unknown): void {
  const format = typeof payload === 'object' && payload !== null && 'format' in payload ? payload.format : undefined;
  if (typeof format !== 'number' || format === manifestFormat) return;
  throw new Failure('BundleFormatUnknown', `a manifest has format ${format}, this build reads ${manifestFormat}`);
}

function requireOwn({ fleet, lane, bundle }: Manifest, expected: OpenManifestOptions): void {
  if (fleet === expected.fleet && lane === expected.lane) return;
  const message = `bundle ${bundle} is of lane ${lane} in fleet ${fleet}, expected is lane ${expected.lane} in fleet ${expected.fleet}`;
  throw new Failure('BundleForeign', message, { bundle, lane: expected.lane, fleet: expected.fleet });
}

function fieldFault(value: unknown): string | undefined {
  const issue = manifestSchema.safeParse(value).error?.issues[0];
  return issue === undefined ? undefined : `${issue.path.join('.') || 'root'}: ${issue.message.slice(0, 200)}`;
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch (error) {
    throw new Failure('BundleDamaged', 'a manifest is signed, but no JSON', {}, { cause: error });
  }
}

function damaged(fault: string): Failure {
  return new Failure('BundleDamaged', `a manifest is wrong at ${fault}`, { field: fault.split(':')[0] ?? '' });
}

function tooLarge(sizeBytes: number): string {
  return `a manifest has ${sizeBytes} bytes, at most ${limits.manifestBytes} are allowed`;
}
