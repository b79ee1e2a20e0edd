// How the data key of a sealed object is wrapped: once for each recipient, RSA-OAEP with SHA-256. A wrapped key names
// the provider `clawback` and the fingerprint of its public key, by which any Encryption SDK finds it.

import {
  type EncryptedDataKey,
  KeyringNode,
  MultiKeyringNode,
  type NodeDecryptionMaterial,
} from '@aws-crypto/material-management-node';
import { RawRsaKeyringNode } from '@aws-crypto/raw-rsa-keyring-node';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { type OpeningKey, openingFingerprint, type Recipient, recipientFingerprint } from './recipient.ts';

const keyNamespace = 'clawback';

/** Wraps for each of the recipients. InvalidInput for one that is no RSA public key, for none, or for too many. */
export function recipientsKeyring(recipients: readonly Recipient[]): KeyringNode {
  if (recipients.length > limits.recipientsPerBundle) throw recipientCount(recipients.length);
  const [generator, ...children] = recipients.map((recipient) => wrappingKeyring(recipient));
  if (generator === undefined) throw recipientCount(0);
  return new MultiKeyringNode({ generator, children });
}

/**
 * Unwraps with one private key, and tells "not for this key" (BundleKeyWrong) from "damaged".
 * InvalidInput when it is no RSA private key.
 */
export function openingKeyring(key: OpeningKey): KeyringNode {
  return new OpeningKeyring(key);
}

function wrappingKeyring(recipient: Recipient): RawRsaKeyringNode {
  const rsaKey = { publicKey: recipient.publicKeyPem };
  return new RawRsaKeyringNode({ keyNamespace, keyName: recipientFingerprint(recipient), oaepHash: 'sha256', rsaKey });
}

function recipientCount(count: number): Failure {
  return new Failure('InvalidInput', `${count} recipients, allowed are 1 to ${limits.recipientsPerBundle}`, { count });
}

class OpeningKeyring extends KeyringNode {
  readonly #name: string;
  readonly #fingerprint: string;
  readonly #inner: RawRsaKeyringNode;

  constructor({ name, privateKeyPem }: OpeningKey) {
    super();
    this.#name = name;
    this.#fingerprint = openingFingerprint({ name, privateKeyPem });
    const rsaKey = { privateKey: privateKeyPem };
    this.#inner = new RawRsaKeyringNode({ keyNamespace, keyName: this.#fingerprint, oaepHash: 'sha256', rsaKey });
  }

  override _onEncrypt(): Promise<never> {
    return Promise.reject(new Failure('Unexpected', 'an opening key was used to seal'));
  }

  override async _onDecrypt(
    material: NodeDecryptionMaterial,
    keys: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    const ours = keys.some((key) => key.providerId === keyNamespace && key.providerInfo === this.#fingerprint);
    if (ours) return this.#inner.onDecrypt(material, keys);
    throw new Failure('BundleKeyWrong', `an object is sealed to ${keys.length} keys, ${this.#name} is none of them`);
  }
}
