// The secrets of a fleet, each resolved when it is needed, checked to be what it should be, and never kept here.
// Failures name the reference and what is wrong with its form; no value, and no part of one, is in a message.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { describeSecretRef, type SecretRef } from '../contract/secret-ref.ts';
import { Failure } from '../domain/failure.ts';
import type { FleetFile } from './fleet-file.ts';
import { isKeyOf } from './public-keys.ts';
import { resolveSecret } from './resolve-secret.ts';

/** What logs in on hosts, as src/lane takes it. */
export interface FleetLogin {
  readonly privateKey: Buffer;
  readonly passphrase?: string;
}

export interface OpeningKey {
  /** The recipient that it opens for. */
  readonly name: string;
  readonly privateKeyPem: string;
}

function unfit(ref: SecretRef, reason: string): Failure {
  return new Failure('SecretUnavailable', `the secret of ${describeSecretRef(ref)} does not fit: ${reason}`);
}

/** @throws Failure SecretUnavailable */
export async function resolveLogin(file: FleetFile): Promise<FleetLogin> {
  const { key, passphrase } = file.fleet.ssh;
  const privateKey = await resolveSecret(key, file.baseDir);
  if (passphrase === undefined) return { privateKey };
  return { privateKey, passphrase: (await resolveSecret(passphrase, file.baseDir)).toString('utf8') };
}

/**
 * The key of the fingerprints, 32 bytes.
 * @throws Failure SecretUnavailable
 */
export async function resolveFingerprintKey(file: FleetFile): Promise<Buffer> {
  const ref = file.fleet.keys.fingerprint;
  const text = (await resolveSecret(ref, file.baseDir)).toString('latin1').trim();
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw unfit(ref, 'it is not 64 hex digits');
  return Buffer.from(text, 'hex');
}

/**
 * What signs manifests: a PEM whose public half is one of `keys.manifest.public`, or nobody could check them.
 * @throws Failure SecretUnavailable
 */
export async function resolveManifestKey(file: FleetFile): Promise<{ readonly privateKeyPem: string }> {
  return resolveSigningKey(file, 'manifest', file.fleet.keys.manifest.private);
}

/**
 * What signs receipts: a PEM whose public half is one of `keys.receipt.public`.
 * @throws Failure SecretUnavailable, also when the fleet file names no receipt key
 */
export async function resolveReceiptKey(file: FleetFile): Promise<{ readonly privateKeyPem: string }> {
  const ref = file.fleet.keys.receipt?.private;
  if (ref === undefined)
    throw new Failure('SecretUnavailable', 'the fleet file has no keys.receipt, without which nothing becomes proven');
  return resolveSigningKey(file, 'receipt', ref);
}

async function resolveSigningKey(
  file: FleetFile,
  name: 'manifest' | 'receipt',
  ref: SecretRef,
): Promise<{ readonly privateKeyPem: string }> {
  const { privateKeyPem, publicKey } = await resolvePrivateKey(ref, file.baseDir);
  if (file.keys[name].some((pem) => isKeyOf(publicKey, pem))) return { privateKeyPem };
  throw unfit(ref, `its public half is none of keys.${name}.public`);
}

/**
 * What opens bundles, named after the recipient that it belongs to.
 * @throws Failure SecretUnavailable, also when the fleet file names no opening key
 */
export async function resolveOpeningKey(file: FleetFile): Promise<OpeningKey> {
  const ref = file.fleet.keys.opening;
  if (ref === undefined)
    throw new Failure('SecretUnavailable', 'the fleet file has no keys.opening, which vault workers need');
  const { privateKeyPem, publicKey } = await resolvePrivateKey(ref, file.baseDir);
  const recipient = file.keys.recipients.find(({ publicKeyPem }) => isKeyOf(publicKey, publicKeyPem));
  if (recipient === undefined) throw unfit(ref, 'its public half is none of keys.recipients');
  return { name: recipient.name, privateKeyPem };
}

/**
 * The password of a lane's keychain; undefined when the fleet file names none.
 * @throws Failure SecretUnavailable, UnknownLane
 */
export async function resolveKeychainPassword(file: FleetFile, lane: string): Promise<string | undefined> {
  const { lane: name } = file.laneSpec(lane);
  const ref = file.fleet.lanes[name]?.keychain.password;
  return ref === undefined ? undefined : (await resolveSecret(ref, file.baseDir)).toString('utf8');
}

/**
 * The passphrase of old scripts' archives; undefined when the fleet file names none.
 * @throws Failure SecretUnavailable
 */
export async function resolveArchivePassphrase(file: FleetFile): Promise<Buffer | undefined> {
  const ref = file.fleet.archives?.passphrase;
  return ref === undefined ? undefined : resolveSecret(ref, file.baseDir);
}

interface PrivateKey {
  readonly privateKeyPem: string;
  readonly publicKey: KeyObject;
}

async function resolvePrivateKey(ref: SecretRef, baseDir: string): Promise<PrivateKey> {
  const privateKeyPem = (await resolveSecret(ref, baseDir)).toString('utf8');
  try {
    return { privateKeyPem, publicKey: createPublicKey(createPrivateKey(privateKeyPem)) };
  } catch {
    throw unfit(ref, 'it is not a private key in PEM form without passphrase');
  }
}
