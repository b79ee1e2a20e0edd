// Runs a real Temporal server for one machine: `temporal server start-dev`, on the loopback only. It is ready when
// its HTTP API shows the namespace; it dies with the process that started it.

import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';
import { freePorts } from './free-ports.ts';
import { type OwnedProcess, spawnOwned } from './owned-process.ts';

export const devServerNamespace = 'default';
const address = '127.0.0.1';
/** Seen: 0.3 s idle. A machine under load 20 takes some tens of times as long. */
const startMs = 60_000;
const pollMs = 100;
/** Ports that were free a moment ago may be taken: other servers start on this machine too. */
const portTries = 3;

export interface DevServerPorts {
  readonly grpc: number;
  readonly ui: number;
  readonly http: number;
}

export type SearchAttributeType = 'Keyword' | 'KeywordList' | 'Text' | 'Int' | 'Double' | 'Bool' | 'Datetime';

export interface DevServerOptions {
  /** The program, from `ensureTemporalCli`. */
  readonly cli: string;
  /** SQLite file that survives the server; default: in memory. The server's own pragmas are left as they are. */
  readonly dbFile?: string;
  /** Default: free ones. Give the ports of an earlier server to come back at the same address. */
  readonly ports?: DevServerPorts;
  readonly searchAttributes?: Readonly<Record<string, SearchAttributeType>>;
  /** Server settings by key, values as JSON. */
  readonly dynamicConfig?: Readonly<Record<string, string | number | boolean>>;
  /** Without the web UI. */
  readonly headless?: boolean;
  /** Ends the start, and the server if it runs already. */
  readonly signal?: AbortSignal;
}

export interface DevServer {
  /** `127.0.0.1:<port>` for clients and workers. */
  readonly address: string;
  /** Undefined when headless. */
  readonly uiUrl: string | undefined;
  readonly ports: DevServerPorts;
  /** Of the server itself. */
  readonly pid: number;
  /** Exit status once it ended, whoever ended it; never rejects. */
  readonly exited: Promise<number>;
  /** Orderly, within five seconds; may be called again. */
  stop(): Promise<void>;
  /** kill -9; may be called again. */
  kill(): void;
}

function argvOf(options: DevServerOptions, ports: DevServerPorts): string[] {
  const { cli, dbFile, searchAttributes = {}, dynamicConfig = {}, headless = false } = options;
  const own = ['--disable-config-file', '--disable-config-env', '--log-level', 'error'];
  const listen = ['--ip', address, '--port', `${ports.grpc}`, '--http-port', `${ports.http}`];
  return [
    cli,
    'server',
    'start-dev',
    ...own,
    ...listen,
    ...(headless ? ['--headless'] : ['--ui-port', `${ports.ui}`]),
    ...(dbFile === undefined ? [] : ['--db-filename', dbFile]),
    ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    ...Object.entries(dynamicConfig).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
  ];
}

async function isHealthy(ports: DevServerPorts): Promise<boolean> {
  const url = `http://${address}:${ports.http}/api/v1/namespaces/${devServerNamespace}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.ok ?? false;
}

/** Resolves when the server answers; fails when it ends before, or takes too long. */
async function waitUntilHealthy(owned: OwnedProcess, ports: DevServerPorts, signal?: AbortSignal): Promise<void> {
  let status: number | undefined;
  void owned.exited.then((exitStatus) => (status = exitStatus));
  const giveUpAtMs = performance.now() + startMs;
  while (!(await isHealthy(ports))) {
    signal?.throwIfAborted();
    if (status !== undefined) {
      throw new Failure('TemporalWouldNotStart', `the dev server exited with ${status}: ${owned.tail().trim()}`);
    }
    if (performance.now() > giveUpAtMs) {
      throw new Failure('TemporalWouldNotStart', `the dev server did not answer within ${startMs / 1000} s`);
    }
    await sleep(pollMs);
  }
}

async function startOn(ports: DevServerPorts, options: DevServerOptions): Promise<OwnedProcess> {
  const owned = await spawnOwned(argvOf(options, ports));
  try {
    await waitUntilHealthy(owned, ports, options.signal);
    options.signal?.throwIfAborted();
    return owned;
  } catch (error) {
    owned.kill();
    await owned.exited;
    throw error;
  }
}

async function pickPorts(): Promise<DevServerPorts> {
  const [grpc = 0, ui = 0, http = 0] = await freePorts(3);
  return { grpc, ui, http };
}

async function startSomewhere(options: DevServerOptions): Promise<{ owned: OwnedProcess; ports: DevServerPorts }> {
  if (options.ports !== undefined) return { owned: await startOn(options.ports, options), ports: options.ports };
  for (let tries = 1; ; tries += 1) {
    const ports = await pickPorts();
    try {
      return { owned: await startOn(ports, options), ports };
    } catch (error) {
      const taken = error instanceof Failure && /address already in use|can't (bind|listen)/i.test(error.message);
      if (!taken || tries === portTries) throw error;
    }
  }
}

/**
 * Starts a server and waits until it answers. Each call starts another one.
 * @throws Failure TemporalWouldNotStart; the signal's reason when it was aborted
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  options.signal?.throwIfAborted();
  const { owned, ports } = await startSomewhere(options);
  options.signal?.addEventListener('abort', () => owned.kill(), { once: true });
  return {
    address: `${address}:${ports.grpc}`,
    uiUrl: options.headless ? undefined : `http://${address}:${ports.ui}`,
    ports,
    pid: owned.pid,
    exited: owned.exited,
    stop: () => owned.stop(),
    kill: () => owned.kill(),
  };
}
