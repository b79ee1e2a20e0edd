// How a connection is made: the pinned key, ciphers as measured, a key file for a login; and what ssh2's errors mean.

import type { Client, ConnectConfig } from 'ssh2';
import { Failure } from '../domain/failure.ts';
import type { HostTarget } from '../domain/lane-target.ts';
import { limits } from '../domain/limits.ts';
import type { HostLogin } from './host-connection.ts';
import type { PinnedKey } from './host-key.ts';

/** Fastest first, as measured: AES-NI makes GCM the cheapest (perf-notes, SSH). */
const ciphers = ['aes256-gcm@openssh.com', 'aes128-gcm@openssh.com', 'aes256-ctr', 'aes128-ctr'] as const;

export function connectConfig(
  host: HostTarget,
  login: HostLogin,
  key: PinnedKey,
  onShown: (fits: boolean) => void,
): ConnectConfig {
  return {
    host: host.address,
    port: host.port,
    username: host.user,
    privateKey: login.privateKey,
    ...(login.passphrase === undefined ? {} : { passphrase: login.passphrase }),
    authHandler: ['publickey'],
    readyTimeout: limits.connectTimeoutMs,
    keepaliveInterval: limits.keepAliveIntervalMs,
    keepaliveCountMax: limits.keepAliveCount,
    algorithms: { cipher: [...ciphers], serverHostKey: [...key.algorithms] as never, compress: ['none'] },
    hostVerifier: (shown: Buffer) => {
      const fits = key.matches(shown);
      onShown(fits);
      return fits;
    },
  };
}

/** ssh2's errors carry a `level`; what has none comes from the socket. */
export function connectFailure(host: HostTarget, error: Error & { level?: string }, keyRefused: boolean): Failure {
  const context = { host: host.name };
  const options = { cause: error };
  if (keyRefused || /no matching host key/i.test(error.message)) {
    return new Failure(
      'HostKeyChanged',
      `host ${host.name} does not show the pinned ${host.hostKey.split(' ')[0]} key`,
      context,
      options,
    );
  }
  if (error.level === 'client-authentication') {
    return new Failure('HostLoginRefused', `host ${host.name} refuses the key of ${host.user}`, context, options);
  }
  return new Failure(
    'HostUnreachable',
    `host ${host.name} (${host.address}:${host.port}) cannot be reached: ${error.message}`,
    context,
    options,
  );
}

/** ssh2 throws at once for a key that it cannot read; its message may quote the key's header, so it is not passed on. */
export function startConnect(client: Client, config: ConnectConfig): void {
  try {
    client.connect(config);
  } catch {
    throw new Failure(
      'HostLoginRefused',
      `the SSH private key for ${config.username}@${config.host} cannot be read (wrong form or passphrase)`,
    );
  }
}
