// The public keys that fleet.yaml names, read and checked when it is loaded: recipients are RSA of at least 4,096
// bits, keys of manifests and receipts Ed25519. Private keys are refused here; they are resolved by those who use them, when they do.

import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';
import type { keysSchema } from '../contract/fleet.ts';
import type { FleetPath, FleetRemark } from '../contract/fleet-rules.ts';
import { limits } from '../domain/limits.ts';
import { resolvePath } from './private-path.ts';

export interface RecipientKey {
  readonly name: 'vault' | 'recovery';
  readonly publicKeyPem: string;
}

export interface PublicKeys {
  readonly recipients: readonly RecipientKey[];
  /** PEM; a manifest is good when one of them fits. */
  readonly manifest: readonly string[];
  /** PEM; a receipt is good when one of them fits. None where the fleet has no receipt key. */
  readonly receipt: readonly string[];
}

export interface CheckedKeys {
  readonly keys: PublicKeys;
  readonly errors: readonly FleetRemark[];
}

type FleetKeys = z.infer<typeof keysSchema>;
type Refusal = (key: KeyObject) => string | undefined;

/** Reads and checks them all. Every key that is wrong gives an error, and is not among the keys. */
export async function readPublicKeys(fleetKeys: FleetKeys, baseDir: string): Promise<CheckedKeys> {
  const errors: FleetRemark[] = [];
  const read = async (file: string, path: FleetPath, refusal: Refusal): Promise<string[]> => {
    const found = await readKey(resolvePath(baseDir, file), refusal);
    if ('pem' in found) return [found.pem];
    errors.push({ path, message: `${file}: ${found.refused}` });
    return [];
  };
  const recipients: RecipientKey[] = [];
  for (const name of ['vault', 'recovery'] as const) {
    const file = fleetKeys.recipients[name];
    const pems = file === undefined ? [] : await read(file, ['keys', 'recipients', name], refuseRecipient);
    recipients.push(...pems.map((publicKeyPem) => ({ name, publicKeyPem })));
  }
  if (isSameKeyTwice(recipients)) {
    errors.push({
      path: ['keys', 'recipients', 'recovery'],
      message: "it is the vault's key: who loses that loses this one too",
    });
  }
  const signed = async (name: 'manifest' | 'receipt'): Promise<string[]> => {
    const pems: string[] = [];
    for (const file of fleetKeys[name]?.public ?? [])
      pems.push(...(await read(file, ['keys', name, 'public'], (key) => refuseSigningKey(key, `${name}s`))));
    return pems;
  };
  return { keys: { recipients, manifest: await signed('manifest'), receipt: await signed('receipt') }, errors };
}

async function readKey(
  path: string,
  refusal: Refusal,
): Promise<{ readonly pem: string } | { readonly refused: string }> {
  try {
    const { size } = await stat(path);
    if (size > limits.secretBytes)
      return { refused: `it is ${size} bytes, a key file has at most ${limits.secretBytes}` };
    const pem = await readFile(path, 'utf8');
    // createPublicKey would take a private key and derive the public one; a private key has no business here.
    if (pem.includes('PRIVATE KEY')) return { refused: 'it holds a private key; name the public one' };
    const refused = refusal(createPublicKey(pem));
    return refused === undefined ? { pem } : { refused };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    return { refused: code.startsWith('ERR_') ? 'it is not a public key in PEM form' : `it cannot be read (${code})` };
  }
}

function refuseRecipient(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'rsa') return `it is a key of type ${key.asymmetricKeyType}, recipients are RSA`;
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  return bits < 4096 ? `it has ${bits} bits, recipients have at least 4,096` : undefined;
}

function refuseSigningKey(key: KeyObject, what: string): string | undefined {
  return key.asymmetricKeyType === 'ed25519'
    ? undefined
    : `it is a key of type ${key.asymmetricKeyType}, ${what} are signed with Ed25519`;
}

function isSameKeyTwice(recipients: readonly RecipientKey[]): boolean {
  const [vault, recovery] = recipients;
  return (
    vault !== undefined && recovery !== undefined && isKeyOf(createPublicKey(vault.publicKeyPem), recovery.publicKeyPem)
  );
}

/**
 * Is it the key of this PEM? Compared by their encoding: KeyObject.equals on keys of two types leaves an error in
 * OpenSSL's queue, by which Node 24's next createPrivateKey fails ("unsupported", seen).
 */
export function isKeyOf(key: KeyObject, publicKeyPem: string): boolean {
  const encoded = (one: KeyObject): Buffer => one.export({ type: 'spki', format: 'der' });
  return encoded(key).equals(encoded(createPublicKey(publicKeyPem)));
}

/**
 * Why a pinned host key cannot be right: its base64 must hold a key of the type that stands before it (RFC 4253, 6.6).
 * @param hostKey `type base64`, as the schema has let it through
 */
export function refuseHostKey(hostKey: string): string | undefined {
  const [type = '', base64 = ''] = hostKey.split(' ');
  const blob = Buffer.from(base64, 'base64');
  const lengthBytes = blob.length < 4 ? 0 : blob.readUInt32BE(0);
  if (blob.subarray(4, 4 + lengthBytes).toString('latin1') !== type)
    return `the base64 does not hold a key of type ${type}`;
  // ed25519: 4 + 11 bytes of type, 4 + 32 bytes of key.
  if (type === 'ssh-ed25519' && blob.length !== 51)
    return `an ssh-ed25519 key has 51 bytes, this one has ${blob.length}`;
  return undefined;
}
