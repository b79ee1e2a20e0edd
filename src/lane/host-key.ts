// The pinned host key: the whole key is compared, not a fingerprint of it, and no other key type is asked for.

import { Failure } from '../domain/failure.ts';
import type { HostTarget } from '../domain/lane-target.ts';

export interface PinnedKey {
  /** The server's key types that ssh2 may accept. */
  readonly algorithms: readonly string[];
  matches(shown: Buffer): boolean;
}

/** An RSA key signs with SHA-2 under other names (RFC 8332). */
const signatureNames: Readonly<Record<string, readonly string[]>> = { 'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'] };

/**
 * Reads `host.hostKey`, `ssh-ed25519 AAAA… comment`.
 * @throws InvalidFleet when it is not of that form
 */
export function pinnedKey(host: HostTarget): PinnedKey {
  const [type, base64] = host.hostKey.trim().split(/\s+/);
  const key = Buffer.from(base64 ?? '', 'base64');
  const nameBytes = key.length >= 4 ? key.readUInt32BE(0) : 0;
  if (type === undefined || key.subarray(4, 4 + nameBytes).toString('latin1') !== type) {
    throw new Failure('InvalidFleet', `host ${host.name}: hostKey is not an OpenSSH public key`, {
      host: host.name,
      field: 'hostKey',
    });
  }
  return { algorithms: signatureNames[type] ?? [type], matches: (shown) => shown.equals(key) };
}
