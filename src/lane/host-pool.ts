// Connections to hosts, shared: macOS's sshd takes 42 in all (macos-notes, 4), so one is reused while it has channels left.
// A command beyond a connection's channels goes to another one, so that streams that hold channels never block a short step.

import { Failure } from '../domain/failure.ts';
import type { HostTarget } from '../domain/lane-target.ts';
import { limits } from '../domain/limits.ts';
import { connectHost, type HostConnection, type HostLogin } from './host-connection.ts';

interface Entry {
  readonly connections: Set<HostConnection>;
  /** A connection being made: whoever comes meanwhile waits for it. */
  opening: Promise<HostConnection> | undefined;
}

/** The pinned key is part of it: a corrected key must not meet a connection made with the old one. */
function keyOf(host: HostTarget): string {
  return [host.user, host.address, host.port, host.hostKey].join('\n');
}

export class HostPool {
  readonly #login: (host: HostTarget) => Promise<HostLogin>;
  readonly #entries = new Map<string, Entry>();
  readonly #sweeper: NodeJS.Timeout;
  readonly #most: number;
  #closed = false;

  /** @param most connections to one host */
  constructor(login: (host: HostTarget) => Promise<HostLogin>, most: number = limits.connectionsPerHost) {
    this.#login = login;
    this.#most = most;
    this.#sweeper = setInterval(() => this.#closeIdle(), limits.connectionIdleMs / 2);
    this.#sweeper.unref();
  }

  /**
   * A connection to the host, made or reused; nothing is to be given back, for channels are counted by `exec`.
   * @throws HostUnreachable, HostKeyChanged, HostLoginRefused, what the login throws; the signal's reason when aborted
   */
  async lease(host: HostTarget, signal?: AbortSignal): Promise<HostConnection> {
    signal?.throwIfAborted();
    if (this.#closed)
      throw new Failure('HostConnectionLost', `the connections to ${host.name} were closed`, { host: host.name });
    const entry = this.#entryOf(host);
    const free = leastLoaded(entry);
    if (free !== undefined && (free.load < limits.channelsPerConnection || entry.connections.size >= this.#most))
      return free;
    entry.opening ??= this.#open(host, entry);
    return unlessAborted(entry.opening, signal);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#sweeper);
    for (const entry of this.#entries.values()) for (const connection of entry.connections) connection.close();
    this.#entries.clear();
  }

  #entryOf(host: HostTarget): Entry {
    const key = keyOf(host);
    const entry = this.#entries.get(key) ?? { connections: new Set(), opening: undefined };
    this.#entries.set(key, entry);
    for (const connection of entry.connections) if (connection.closed) entry.connections.delete(connection);
    return entry;
  }

  async #open(host: HostTarget, entry: Entry): Promise<HostConnection> {
    try {
      const connection = await connectHost(host, await this.#login(host));
      if (this.#closed) connection.close();
      connection.spillTo = () => this.lease(host);
      entry.connections.add(connection);
      return connection;
    } finally {
      entry.opening = undefined;
    }
  }

  #closeIdle(): void {
    for (const entry of this.#entries.values()) {
      for (const connection of entry.connections) {
        if (connection.idleMs >= limits.connectionIdleMs) connection.close();
        if (connection.closed) entry.connections.delete(connection);
      }
    }
  }
}

function leastLoaded(entry: Entry): HostConnection | undefined {
  return [...entry.connections].sort((a, b) => a.load - b.load)[0];
}

/** Others may wait for the same connection: an abort ends only this waiting. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
