// Whom a bundle is sealed to. A key is known by its fingerprint (SHA-256 of the public key's SPKI DER), never by the
// name somebody gave it: a renewed key is another recipient. Refuses anything but RSA keys of at least 3072 bits.

import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';

export interface Recipient {
  readonly name: string;
  /** SPKI PEM of an RSA key. */
  readonly publicKeyPem: string;
}

export interface OpeningKey {
  readonly name: string;
  /** PKCS#8 PEM of an RSA key, unencrypted. */
  readonly privateKeyPem: string;
}

/** SHA-256 of a public key's SPKI DER, lower-case hex. */
export function keyFingerprint(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** The fingerprint of a recipient's key. InvalidInput when it is no RSA public key, or too short. */
export function recipientFingerprint(recipient: Recipient): string {
  return keyFingerprint(parseRsa(recipient.name, () => createPublicKey(recipient.publicKeyPem)));
}

/** The fingerprint of the public half of an opening key. InvalidInput when it is no RSA private key, or too short. */
export function openingFingerprint(key: OpeningKey): string {
  const privateKey = parseRsa(key.name, () => createPrivateKey(key.privateKeyPem));
  return keyFingerprint(createPublicKey(privateKey));
}

/** SHA-256 over the recipients' fingerprints in sorted order: the same set gives the same digest. */
export function recipientsDigest(recipients: readonly Recipient[]): string {
  const fingerprints = recipients.map(recipientFingerprint).sort();
  return createHash('sha256').update(fingerprints.join('\n')).digest('hex');
}

function parseRsa(name: string, parse: () => KeyObject): KeyObject {
  const key = parseKey(name, parse);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < limits.recipientKeyBits) throw unfit(name, key, bits);
  return key;
}

function parseKey(name: string, parse: () => KeyObject): KeyObject {
  try {
    return parse();
  } catch {
    // No cause: what OpenSSL says may quote the key.
    throw new Failure('InvalidInput', `key ${name} is no PEM that can be read`, { field: name });
  }
}

function unfit(name: string, key: KeyObject, bits: number): Failure {
  const found = `${key.asymmetricKeyType ?? 'unknown'} of ${bits} bits`;
  return new Failure('InvalidInput', `key ${name} is ${found}, needed is rsa of at least ${limits.recipientKeyBits}`, {
    field: name,
  });
}
