// The signed envelope of what Clawback vouches for: DSSE (https://github.com/secure-systems-lab/dsse) with Ed25519
// signatures. They cover type and payload bytes as they are, so that nothing has to be parsed before it is checked.

import { dsse } from '@sigstore/core';
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { Failure, type FailureCode } from '../domain/failure.ts';

/** One kind of signed thing: what it is called, and which failures it has. */
export interface EnvelopeKind {
  /** In messages: `manifest`. */
  readonly noun: string;
  readonly payloadType: string;
  readonly damaged: FailureCode;
  readonly badSignature: FailureCode;
}

/** Base64 in its one canonical form, so that no other bytes say the same. */
const base64 = z.base64().refine((text) => Buffer.from(text, 'base64').toString('base64') === text);

const envelopeSchema = z.strictObject({
  payload: base64,
  payloadType: z.string(),
  signatures: z
    .array(z.strictObject({ keyid: z.string().max(200), sig: base64.max(200) }))
    .min(1)
    .max(8),
});

/**
 * Signs a payload. The same payload and key give the same bytes: Ed25519 is deterministic.
 * @param privateKeyPem PKCS#8 PEM of an Ed25519 key; InvalidInput otherwise
 */
export function signEnvelope({ noun, payloadType }: EnvelopeKind, payload: Buffer, privateKeyPem: string): Buffer {
  const privateKey = parseEd25519(() => createPrivateKey(privateKeyPem), `${noun} signing key`);
  const signature = sign(null, dsse.preAuthEncoding(payloadType, payload), privateKey);
  return Buffer.from(
    JSON.stringify({
      payload: payload.toString('base64'),
      payloadType,
      signatures: [{ keyid: keyIdOf(createPublicKey(privateKey)), sig: signature.toString('base64') }],
    }),
    'utf8',
  );
}

/**
 * @param publicKeysPem SPKI PEMs of Ed25519 keys, any of which may have signed; InvalidInput for another kind
 * @returns the payload, signed by one of them. The kind's `damaged` when it is no envelope, its `badSignature` otherwise
 */
export function openEnvelope(kind: EnvelopeKind, bytes: Buffer, publicKeysPem: readonly string[]): Buffer {
  const { payload: encoded, signatures } = parseEnvelope(kind, bytes);
  const payload = Buffer.from(encoded, 'base64');
  const signed = dsse.preAuthEncoding(kind.payloadType, payload);
  const keys = publicKeysPem.map((pem) => parseEd25519(() => createPublicKey(pem), `${kind.noun} public key`));
  const good = keys.some((key) =>
    signatures.some(
      ({ keyid, sig }) => keyid === keyIdOf(key) && verify(null, signed, key, Buffer.from(sig, 'base64')),
    ),
  );
  if (!good) {
    const found = signatures.map(({ keyid }) => keyid);
    throw badSignature(kind, found, keys.map(keyIdOf));
  }
  return payload;
}

/** SHA-256 of the public key's SPKI DER, lower-case hex. */
export function keyIdOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

function parseEnvelope(kind: EnvelopeKind, bytes: Buffer): z.infer<typeof envelopeSchema> {
  const { data, error } = envelopeSchema.safeParse(parseJson(kind, bytes));
  if (data?.payloadType === kind.payloadType) return data;
  const where = data === undefined ? error?.issues[0]?.path.join('.') || 'its root' : 'payloadType';
  throw new Failure(kind.damaged, `a ${kind.noun}'s envelope is wrong at ${where}`);
}

function parseEd25519(parse: () => KeyObject, what: string): KeyObject {
  const key = attempt(parse);
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new Failure(
    'InvalidInput',
    `a ${what} is ${key?.asymmetricKeyType ?? 'no PEM that can be read'}, needed is ed25519`,
  );
}

function attempt(parse: () => KeyObject): KeyObject | undefined {
  try {
    return parse();
  } catch {
    return undefined; // what OpenSSL says may quote the key
  }
}

function parseJson({ noun, damaged }: EnvelopeKind, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new Failure(damaged, `a ${noun} is no JSON`, {}, { cause: error });
  }
}

function badSignature(kind: EnvelopeKind, found: readonly string[], trusted: readonly string[]): Failure {
  const short = (ids: readonly string[]): string => ids.map((id) => JSON.stringify(id.slice(0, 12))).join(', ');
  return new Failure(
    kind.badSignature,
    `a ${kind.noun}'s signature by ${short(found)} does not fit the trusted keys ${short(trusted) || '(none)'}`,
  );
}
