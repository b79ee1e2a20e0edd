// One SSH connection to a host, with several channels. The host key is pinned; a dead peer is noticed by keep-alives;
// every command's exit status is read. More commands than channels wait their turn, or go to another connection.

import { Client, type ClientChannel } from 'ssh2';
import { Failure } from '../domain/failure.ts';
import type { HostTarget } from '../domain/lane-target.ts';
import { limits } from '../domain/limits.ts';
import { pinnedKey } from './host-key.ts';
import { connectConfig, connectFailure, startConnect } from './host-login.ts';
import { pause } from './pause.ts';
import { ChannelProcess, type RemoteProcess } from './remote-process.ts';

export type { RemoteProcess } from './remote-process.ts';

export interface HostLogin {
  readonly privateKey: Buffer;
  readonly passphrase?: string;
}

export interface ExecOptions {
  readonly signal?: AbortSignal | undefined;
  /** How much of stderr's end is kept, bytes. */
  readonly stderrBytes?: number;
}

/**
 * Connects and logs in. May be called again.
 * @throws HostUnreachable, HostKeyChanged, HostLoginRefused; the signal's reason when aborted
 */
export async function connectHost(host: HostTarget, login: HostLogin, signal?: AbortSignal): Promise<HostConnection> {
  signal?.throwIfAborted();
  const client = new Client();
  let keyRefused = false;
  let failed: Error | undefined;
  const config = connectConfig(host, login, pinnedKey(host), (fits) => {
    keyRefused = !fits;
  });
  const onAbort = () => client.destroy();
  signal?.addEventListener('abort', onAbort);
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.on('error', (error) => {
        failed ??= error;
      });
      client.once('close', () => reject(failed ?? new Error('the connection closed during the handshake')));
      client.once('connect', () => client.setNoDelay(true));
      startConnect(client, config);
    });
  } catch (error) {
    client.destroy();
    signal?.throwIfAborted();
    throw error instanceof Failure ? error : connectFailure(host, error as Error, keyRefused);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  return new HostConnection(host, client);
}

export class HostConnection {
  readonly host: HostTarget;
  /** Set by the pool: where a command goes when this connection is full or gone. */
  spillTo: (() => Promise<HostConnection>) | undefined;
  readonly #client: Client;
  readonly #running = new Set<ChannelProcess>();
  #taken = 0;
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  #closed = false;
  #lastUsedAtMs = performance.now();

  constructor(host: HostTarget, client: Client) {
    this.host = host;
    this.#client = client;
    client.on('error', () => undefined);
    client.on('close', () => this.#onClosed());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Channels in use and asked for. */
  get load(): number {
    return this.#taken + this.#waiting.length;
  }

  /** For how long no channel has been in use. */
  get idleMs(): number {
    return this.load > 0 ? 0 : performance.now() - this.#lastUsedAtMs;
  }

  /**
   * Runs a command line through the login shell.
   * @throws HostConnectionLost; the signal's reason when aborted (then the process's streams and `exited` fail with it too)
   */
  async exec(command: string, options: ExecOptions = {}): Promise<RemoteProcess> {
    options.signal?.throwIfAborted();
    if (this.spillTo !== undefined && (this.#closed || this.load >= limits.channelsPerConnection)) {
      const other = await this.spillTo();
      if (other !== this) return other.#run(command, options);
    }
    return this.#run(command, options);
  }

  async #run(command: string, options: ExecOptions): Promise<RemoteProcess> {
    await this.#takeChannel(options.signal);
    try {
      options.signal?.throwIfAborted();
      const process = await this.#open(command, options);
      this.#follow(process, options.signal);
      return process;
    } catch (error) {
      this.#freeChannel();
      throw error;
    }
  }

  close(): void {
    this.#client.end();
    this.#onClosed();
  }

  #lost(): Failure {
    return new Failure('HostConnectionLost', `the connection to ${this.host.name} is gone`, { host: this.host.name });
  }

  /** A freed channel goes to who has waited longest, without ever being counted as free. */
  async #takeChannel(signal: AbortSignal | undefined): Promise<void> {
    if (this.#closed) throw this.#lost();
    if (this.#taken < limits.channelsPerConnection) {
      this.#taken += 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const onAbort = () => {
      const place = this.#waiting.indexOf(turn);
      if (place >= 0) this.#waiting.splice(place, 1);
      turn.reject(signal?.reason);
    };
    this.#waiting.push(turn);
    signal?.addEventListener('abort', onAbort);
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #freeChannel(): void {
    this.#lastUsedAtMs = performance.now();
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next.resolve();
  }

  /**
   * sshd counts a session until its process is reaped, a moment after we have seen its end: a refused opening (nothing
   * has run then) is tried again for a while.
   */
  async #open(command: string, options: ExecOptions): Promise<ChannelProcess> {
    const deadlineMs = performance.now() + limits.channelOpenMs;
    for (let waitMs = 20; ; waitMs *= 2) {
      const opened = await this.#tryOpen(command, options.stderrBytes);
      if (opened instanceof ChannelProcess) return opened;
      if (this.#closed) throw this.#lost();
      if (performance.now() + waitMs > deadlineMs) {
        throw new Failure(
          'HostConnectionLost',
          `host ${this.host.name} opens no channel: ${opened.message}`,
          { host: this.host.name },
          { cause: opened },
        );
      }
      await pause(waitMs, options.signal);
    }
  }

  /** The process is made inside ssh2's callback: a short command's exit status may stand in the same packet as the answer. */
  async #tryOpen(command: string, stderrBytes: number | undefined): Promise<ChannelProcess | Error> {
    return new Promise((resolve) => {
      const onClose = () => resolve(this.#lost());
      this.#client.once('close', onClose);
      const settle = (error: Error | undefined, channel?: ClientChannel) => {
        this.#client.off('close', onClose);
        if (channel === undefined) resolve(error ?? this.#lost());
        else resolve(new ChannelProcess(channel, this.host.name, stderrBytes));
      };
      try {
        this.#client.exec(command, (error, channel) => settle(error, error === undefined ? channel : undefined));
      } catch (error) {
        settle(error as Error);
      }
    });
  }

  #follow(process: ChannelProcess, signal: AbortSignal | undefined): void {
    this.#running.add(process);
    const onAbort = () => process.abort(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort);
    // while the channel was being opened nobody listened
    if (signal?.aborted === true) onAbort();
    const done = () => {
      signal?.removeEventListener('abort', onAbort);
      this.#running.delete(process);
      this.#freeChannel();
    };
    process.exited.then(done, done);
  }

  #onClosed(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const process of this.#running) process.abort(this.#lost());
    for (const turn of this.#waiting.splice(0)) turn.reject(this.#lost());
  }
}
