// One command on a host, as streams with backpressure. A channel that closes without an exit status has failed
// (HostConnectionLost), and so has a command that a signal ended: neither is ever taken for success.

import { Readable, Writable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { Failure } from '../domain/failure.ts';

/** How much of stderr's end is kept unless told. */
export const stderrTailBytes = 8 * 1024;

export interface RemoteProcess {
  readonly stdin: Writable;
  /** Must be consumed (or resumed): the exit status comes after its end. */
  readonly stdout: Readable;
  /** The last 8 KiB of stderr. It may hold names of the lane's files: never part of a message. */
  stderrTail(): string;
  /** Exit status; rejects HostConnectionLost when the channel closes without one, HostCommandFailed for a signal. */
  readonly exited: Promise<number>;
  /** Closes the channel: the command gets EOF and SIGPIPE. A fence ends what does not care. */
  kill(): void;
}

/** Failures that a command's input got because the command ended first: its status tells more. */
const brokenPipes = new WeakSet<object>();

export function isBrokenPipe(error: unknown): boolean {
  return typeof error === 'object' && error !== null && brokenPipes.has(error);
}

interface Outcome {
  readonly status?: number;
  readonly failure?: Error;
}

/** Collects the last `limit` bytes of a stream. */
function tailOf(stream: Readable, limit: number): () => string {
  let tail = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-limit);
  });
  return () => tail.toString('utf8');
}

/** Wraps an ssh2 channel. Kept apart from it, because a Duplex in a pipeline would take both directions down together. */
export class ChannelProcess implements RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly exited: Promise<number>;
  readonly stderrTail: () => string;
  readonly #channel: ClientChannel;
  readonly #host: string;
  #resolve!: (status: number) => void;
  #reject!: (error: Error) => void;
  #reported: Outcome | undefined;
  #ended: Outcome | undefined;
  #waitingWrite: ((error?: Error | null) => void) | undefined;

  constructor(channel: ClientChannel, host: string, stderrBytes: number = stderrTailBytes) {
    this.#channel = channel;
    this.#host = host;
    this.exited = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.exited.catch(() => undefined);
    this.stderrTail = tailOf(channel.stderr, stderrBytes);
    this.stdin = this.#openStdin();
    this.stdout = this.#openStdout();
    channel.on('exit', (status: number | null, signal?: string) => this.#noteExit(status, signal));
    channel.on('close', () => this.#finish());
    channel.on('error', () => undefined);
  }

  kill(): void {
    this.#channel.close();
  }

  /** Ends everything at once: the connection is gone, or the caller gave up. */
  abort(failure: Error): void {
    if (this.#ended !== undefined) return;
    this.#reported = { failure };
    this.#finish();
    this.#channel.close();
  }

  #noteExit(status: number | null, signal?: string): void {
    this.#reported ??=
      status === null
        ? {
            failure: new Failure(
              'HostCommandFailed',
              `a command on ${this.#host} was ended by ${signal ?? 'a signal'}`,
              { host: this.#host },
            ),
          }
        : { status };
  }

  #finish(): void {
    if (this.#ended !== undefined) return;
    const lost = new Failure('HostConnectionLost', `a channel to ${this.#host} closed without an exit status`, {
      host: this.#host,
    });
    this.#ended = this.#reported ?? { failure: lost };
    const { status, failure } = this.#ended;
    if (status === undefined) this.#reject(failure ?? lost);
    else this.#resolve(status);
    this.#endStreams(status, failure);
  }

  /** A command that succeeded may leave input unread (padding behind an archive's end); any other end breaks the input. */
  #endStreams(status: number | undefined, failure: Error | undefined): void {
    if (failure !== undefined) this.stdout.destroy(failure);
    const waiting = this.#waitingWrite;
    this.#waitingWrite = undefined;
    if (status === 0) {
      waiting?.();
      return;
    }
    const unread = new Failure(
      'HostCommandFailed',
      `a command on ${this.#host} ended with status ${status} before it had read its input`,
      { host: this.#host },
    );
    const cause = failure ?? unread;
    brokenPipes.add(cause);
    waiting?.(cause);
    if (!this.stdin.writableFinished) this.stdin.destroy(cause);
  }

  #openStdin(): Writable {
    const stdin = new Writable({
      write: (chunk: Buffer, _encoding, done) => this.#write(chunk, done),
      final: (done) => {
        if (this.#ended === undefined) this.#channel.end();
        done();
      },
    });
    stdin.on('error', () => undefined);
    return stdin;
  }

  #write(chunk: Buffer, done: (error?: Error | null) => void): void {
    if (this.#ended !== undefined) {
      done(this.#ended.status === 0 ? null : this.#ended.failure);
      return;
    }
    this.#waitingWrite = done;
    this.#channel.write(chunk, () => {
      if (this.#waitingWrite !== done) return;
      this.#waitingWrite = undefined;
      done();
    });
  }

  #openStdout(): Readable {
    const channel = this.#channel;
    const stdout = new Readable({
      read: () => {
        channel.resume();
      },
      destroy: (error, done) => {
        if (this.#ended === undefined) channel.close();
        channel.resume();
        done(error);
      },
    });
    stdout.on('error', () => undefined);
    channel.on('data', (chunk: Buffer) => {
      if (!stdout.destroyed && !stdout.push(chunk)) channel.pause();
    });
    channel.on('end', () => {
      if (!stdout.destroyed) stdout.push(null);
    });
    channel.pause();
    return stdout;
  }
}
