// Finds or builds versitygw, an S3 server on a folder, and runs it on the loopback for one machine: for tests, demo and
// a first trial. It is ready when its health page answers, and dies with the process that started it.

import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';
import {
  byGoInstall,
  type EnsureOptions,
  ensureTool,
  type FetchedTool,
  type FoundTool,
  locateTool,
} from './fetched-tool.ts';
import { freePorts } from './free-ports.ts';
import { type OwnedProcess, spawnOwned } from './owned-process.ts';

const version = 'v1.8.0';
const address = '127.0.0.1';
/** Seen: 0.13 s idle. */
const startMs = 30_000;
const pollMs = 50;
const portTries = 3;

const versitygw: FetchedTool = {
  label: 'S3 server',
  program: 'versitygw',
  version,
  variable: 'CLAWBACK_VERSITYGW',
  missing: 'StoreServerMissing',
  ways: [byGoInstall(`github.com/versity/versitygw/cmd/versitygw@${version}`, 'versitygw', 'StoreServerMissing')],
};

/** The server's program where it is already on this machine. @throws Failure StoreServerMissing */
export async function findVersitygw(): Promise<string | undefined> {
  return (await locateTool(versitygw))?.path;
}

/**
 * The server's program, built with Go if need be (232 CPU seconds, once); may be called again, and by several at once.
 * @throws Failure StoreServerMissing
 */
export function ensureVersitygw(options: EnsureOptions = {}): Promise<FoundTool> {
  return ensureTool(versitygw, options);
}

export interface S3ServerPorts {
  readonly s3: number;
  readonly admin: number;
}

export interface S3ServerOptions {
  /** From `ensureVersitygw`. */
  readonly program: string;
  /** Holds objects, versions and accounts; made when missing. Give it again to come back with all of them. */
  readonly folder: string;
  readonly rootAccessKey: string;
  readonly rootSecretKey: string;
  /** Default: free ones. */
  readonly ports?: S3ServerPorts;
}

export interface S3Server {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  /** Where accounts are made (`versitygw admin`). */
  readonly adminEndpoint: string;
  readonly ports: S3ServerPorts;
  readonly pid: number;
  /** Exit status once it ended, whoever ended it; never rejects. */
  readonly exited: Promise<number>;
  /** Orderly; may be called again. */
  stop(): Promise<void>;
  /** kill -9; may be called again. */
  kill(): void;
}

async function argvOf({ program, folder }: S3ServerOptions, ports: S3ServerPorts): Promise<string[]> {
  // Absolute and side by side: a versioning folder below the data is refused.
  const [data, versions, accounts] = ['data', 'versions', 'accounts'].map((name) => resolve(join(folder, name)));
  for (const path of [data, versions, accounts]) await mkdir(path ?? '', { recursive: true, mode: 0o700 });
  const listen = ['--port', `${address}:${ports.s3}`, '--admin-port', `${address}:${ports.admin}`];
  const own = ['--iam-dir', accounts ?? '', '--health', '/health', '--keep-alive', '--quiet'];
  return [program, ...listen, ...own, 'posix', '--versioning-dir', versions ?? '', data ?? ''];
}

async function waitUntilHealthy(owned: OwnedProcess, { s3 }: S3ServerPorts): Promise<void> {
  let status: number | undefined;
  void owned.exited.then((exitStatus) => (status = exitStatus));
  const giveUpAtMs = performance.now() + startMs;
  for (;;) {
    const answer = await fetch(`http://${address}:${s3}/health`, { signal: AbortSignal.timeout(2000) }).catch(
      () => undefined,
    );
    await answer?.body?.cancel();
    if (status !== undefined)
      throw new Failure('StoreServerWouldNotStart', `the S3 server exited with ${status}: ${owned.tail().trim()}`);
    if (answer?.ok) return;
    if (performance.now() > giveUpAtMs)
      throw new Failure('StoreServerWouldNotStart', `the S3 server did not answer within ${startMs / 1000} s`);
    await sleep(pollMs);
  }
}

async function startOn(ports: S3ServerPorts, options: S3ServerOptions): Promise<OwnedProcess> {
  const { rootAccessKey, rootSecretKey } = options;
  const owned = await spawnOwned(await argvOf(options, ports), {
    ...process.env,
    ROOT_ACCESS_KEY: rootAccessKey,
    ROOT_SECRET_KEY: rootSecretKey,
  });
  try {
    await waitUntilHealthy(owned, ports);
    return owned;
  } catch (error) {
    owned.kill();
    await owned.exited;
    throw error;
  }
}

async function startSomewhere(options: S3ServerOptions): Promise<{ owned: OwnedProcess; ports: S3ServerPorts }> {
  if (options.ports !== undefined) return { owned: await startOn(options.ports, options), ports: options.ports };
  for (let tries = 1; ; tries += 1) {
    const [s3 = 0, admin = 0] = await freePorts(2);
    try {
      return { owned: await startOn({ s3, admin }, options), ports: { s3, admin } };
    } catch (error) {
      const taken = error instanceof Failure && /address already in use/i.test(error.message);
      if (!taken || tries === portTries) throw error;
    }
  }
}

/**
 * Starts a server and waits until it answers. Each call starts another one.
 * @throws Failure StoreServerWouldNotStart
 */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const { owned, ports } = await startSomewhere(options);
  return {
    endpoint: `http://${address}:${ports.s3}`,
    adminEndpoint: `http://${address}:${ports.admin}`,
    ports,
    pid: owned.pid,
    exited: owned.exited,
    stop: () => owned.stop(),
    kill: () => owned.kill(),
  };
}
