// Commands on a lane's host, as the lane's user unless told. Every exit status is read; output, time and errors are
// bounded; what a command printed is never part of a failure's message, for it may hold names or secrets.

import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../domain/failure.ts';
import { hostPath, type LaneTarget, type Tool, toolPath } from '../domain/lane-target.ts';
import { limits } from '../domain/limits.ts';
import { type CommandSpec, commandLine, type RunAs } from './command-line.ts';
import type { Fence } from './fence-script.ts';
import type { HostConnection, RemoteProcess } from './host-connection.ts';
import { isBrokenPipe } from './remote-process.ts';
import { shellFailure } from './shell-failure.ts';

export type { RunAs } from './command-line.ts';

export interface RunOptions {
  /** Default `lane`. */
  readonly as?: RunAs;
  readonly stdin?: Buffer | string | Readable;
  /** Milliseconds; default `limits.commandTimeoutMs`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Default [0]; any other is HostCommandFailed. */
  readonly okStatuses?: readonly number[];
  readonly fence?: Fence | undefined;
  /** How a failure names the command. */
  readonly tool?: string;
  /** What the command may print; default `limits.commandOutputBytes`. */
  readonly outputBytes?: number;
}

export interface RunResult {
  readonly exitStatus: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export type SpawnOptions = Pick<RunOptions, 'as' | 'signal' | 'fence' | 'tool'>;

export class LaneShell {
  readonly target: LaneTarget;
  readonly connection: HostConnection;

  constructor(connection: HostConnection, target: LaneTarget) {
    this.connection = connection;
    this.target = target;
  }

  tool(name: Tool): string {
    return toolPath(this.target.host, name);
  }

  /** An absolute path of a Mac as it is on this host. */
  path(absolute: string): string {
    return hostPath(this.target.host, absolute);
  }

  /** A path below `~/.clawback`. */
  clawbackPath(relative: string): string {
    return `${this.target.home}/.clawback/${relative}`;
  }

  /**
   * Runs one command and waits for it. umask 077, folder /, locale C.
   * @throws HostCommandFailed, HostCommandTimeout, HostOutputUnexpected (too much), HostConnectionLost, ToolMissing,
   * SudoRefused, LaneUserMissing, FenceLost; the signal's reason when aborted
   */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return this.#finish({ as: options.as ?? 'lane', argv, fence: options.fence }, { tool: nameOf(argv), ...options });
  }

  /** As {@link run}, for a POSIX sh script (dash, bash 3.2) with arguments. */
  async script(text: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return this.#finish(
      { as: options.as ?? 'lane', script: { text, args }, fence: options.fence },
      { tool: 'script', ...options },
    );
  }

  /** Starts a command whose streams the caller moves; `exited` gives any status, and rejects what {@link run} throws but HostCommandFailed. */
  async spawn(argv: readonly string[], options: SpawnOptions = {}): Promise<RemoteProcess> {
    return this.#start({ as: options.as ?? 'lane', argv, fence: options.fence }, { tool: nameOf(argv), ...options });
  }

  /** As {@link spawn}, for a script. */
  async spawnScript(text: string, args: readonly string[], options: SpawnOptions = {}): Promise<RemoteProcess> {
    return this.#start(
      { as: options.as ?? 'lane', script: { text, args }, fence: options.fence },
      { tool: 'script', ...options },
    );
  }

  async #start(spec: CommandSpec, options: SpawnOptions): Promise<RemoteProcess> {
    const process = await this.connection.exec(commandLine(this.target, spec), { signal: options.signal });
    const exited = process.exited.then((status) => {
      const failure = shellFailure(this.target, {
        as: spec.as,
        tool: options.tool ?? 'command',
        exitStatus: status,
        stderr: process.stderrTail(),
      });
      if (failure !== undefined) throw failure;
      return status;
    });
    exited.catch(() => undefined);
    return {
      stdin: process.stdin,
      stdout: process.stdout,
      stderrTail: () => process.stderrTail(),
      exited,
      kill: () => process.kill(),
    };
  }

  async #finish(spec: CommandSpec, options: RunOptions): Promise<RunResult> {
    const { host, lane } = this.target;
    const tool = options.tool ?? 'command';
    const timeoutMs = options.timeoutMs ?? limits.commandTimeoutMs;
    const ended = new AbortController();
    const giveUp = (failure: Failure) => ended.abort(failure);
    const timer = setTimeout(() => {
      giveUp(
        new Failure('HostCommandTimeout', `${tool} on ${host.name} has not ended after ${timeoutMs} ms`, {
          host: host.name,
          lane,
          tool,
        }),
      );
    }, timeoutMs);
    const signal = options.signal === undefined ? ended.signal : AbortSignal.any([options.signal, ended.signal]);
    try {
      const process = await this.connection.exec(commandLine(this.target, spec), {
        signal,
        stderrBytes: limits.commandErrorBytes,
      });
      const [stdout, exitStatus] = await Promise.all([
        this.#collect(process, tool, options.outputBytes, giveUp),
        process.exited,
        feed(process, options.stdin),
      ]);
      const stderr = process.stderrTail();
      const failure = shellFailure(this.target, { as: spec.as, tool, exitStatus, stderr });
      if (failure !== undefined) throw failure;
      if (!(options.okStatuses ?? [0]).includes(exitStatus)) {
        throw new Failure(
          'HostCommandFailed',
          `${tool} on ${host.name} as ${spec.as} ended with status ${exitStatus}`,
          { host: host.name, lane, tool, exitStatus },
        );
      }
      return { exitStatus, stdout, stderr };
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #collect(
    process: RemoteProcess,
    tool: string,
    outputBytes: number | undefined,
    giveUp: (failure: Failure) => void,
  ): Promise<Buffer> {
    const limit = outputBytes ?? limits.commandOutputBytes;
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    for await (const chunk of process.stdout as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > limit) {
        const { host, lane } = this.target;
        const failure = new Failure(
          'HostOutputUnexpected',
          `${tool} on ${host.name} printed more than ${limit} bytes`,
          { host: host.name, lane, tool },
        );
        giveUp(failure);
        throw failure;
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}

function nameOf(argv: readonly string[]): string {
  return argv[0]?.split('/').at(-1) ?? 'command';
}

/** Gives a command its input. One that ends before it has read all is judged by its status, not by the broken pipe. */
async function feed(process: RemoteProcess, input: RunOptions['stdin']): Promise<void> {
  if (input === undefined || typeof input === 'string' || Buffer.isBuffer(input)) {
    process.stdin.end(input ?? '');
    return;
  }
  try {
    await pipeline(input, process.stdin);
  } catch (error) {
    // Node has a failure of its own for a pipe into what is closed already.
    if (isBrokenPipe(error) || isBrokenPipe(process.stdin.errored)) return;
    process.kill();
    throw error;
  }
}
