// An Ed25519 key pair in OpenSSH's own form ("openssh-key-v1", PROTOCOL.key in OpenSSH's source), without passphrase.
// Node makes the key; this only writes the container, the one form of Ed25519 that both ssh2 and ssh read. ssh2 could
// do it too, but this room may not import the lane's library; a test reads the result with both.

import { type KeyObject, randomBytes } from 'node:crypto';

const type = 'ssh-ed25519';

/** A length and the bytes, as SSH writes strings (RFC 4251, 5). */
function text(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([number(bytes.length), bytes]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The padding of an unencrypted key: 1, 2, 3 … up to a multiple of 8 bytes. */
function padded(bytes: Buffer): Buffer {
  const count = (8 - (bytes.length % 8)) % 8;
  return Buffer.concat([bytes, Buffer.from(Array.from({ length: count }, (_, index) => index + 1))]);
}

function armoured(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
}

export interface OpenSshKeyPair {
  readonly privateKey: string;
  /** One line for authorized_keys. */
  readonly publicKey: string;
}

/**
 * @param key an Ed25519 private key
 * @param comment the third word of the public key
 */
export function encodeOpenSshKey(key: KeyObject, comment: string): OpenSshKeyPair {
  const { d, x } = key.export({ format: 'jwk' });
  const seed = Buffer.from(d ?? '', 'base64url');
  const point = Buffer.from(x ?? '', 'base64url');
  const publicBlob = Buffer.concat([text(type), text(point)]);
  // The same random number twice: a reader of an encrypted key sees by it that the passphrase was right.
  const check = randomBytes(4);
  const secret = padded(
    Buffer.concat([check, check, text(type), text(point), text(Buffer.concat([seed, point])), text(comment)]),
  );
  const cipherNone = [text('none'), text('none'), text('')];
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...cipherNone,
    number(1),
    text(publicBlob),
    text(secret),
  ]);
  return { privateKey: armoured(file), publicKey: `${type} ${publicBlob.toString('base64')} ${comment}\n` };
}
