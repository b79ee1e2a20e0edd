// The worker: the one place where fleet file, keys, stores, connections, activities and workflows meet.
// `node src/worker.ts --fleet FILE [--queues host,data,vault,vaultData] [--streams N]`; started by the CLI, which may start
// several: `--owned` ends a worker with its owner, `--connections N` is its share of a host's, and `--write-bundle FILE`
// does nothing but bundle the workflows, once for all of them.

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import { type Activities, type Archives, createActivities } from './activities/index.ts';
import { connectTemporal, type Temporal } from './client/connection.ts';
import { registerSearchAttributes, registerWatch } from './client/register.ts';
import { activityAttempts, describeHolder, hasPoller } from './client/temporal-view.ts';
import { loadFleet, type FleetFile } from './config/fleet-file.ts';
import {
  resolveArchivePassphrase,
  resolveFingerprintKey,
  resolveKeychainPassword,
  resolveLogin,
  resolveManifestKey,
  resolveOpeningKey,
  resolveReceiptKey,
} from './config/fleet-secrets.ts';
import { describeStore, type StoreUse } from './config/fleet-store.ts';
import { resolvePath } from './config/private-path.ts';
import { type QueueRole, queueRoles, queues } from './contract/names.ts';
import type { FleetCaps } from './contract/step-types.ts';
import { describeFailure, exitStatusOf, Failure, isFailure } from './domain/failure.ts';
import { limits } from './domain/limits.ts';
import { HostPool } from './lane/host-pool.ts';
import { archiveFolder, archiveStore } from './store/archive-source.ts';
import { openStore } from './store/open-store.ts';
import type { Store } from './store/store.ts';
import { createLog, type LogLevel } from './telemetry/log.ts';

/** Short steps in flight: they wait for hosts, not for cores. */
const shortSlots = 100;
const shutdownGraceMs = 5_000;

interface Options {
  readonly fleet: string;
  readonly roles: readonly QueueRole[];
  readonly streams: number;
  readonly bundle: string | undefined;
  readonly connections: number;
}

const { values } = parseArgs({
  options: {
    fleet: { type: 'string' },
    queues: { type: 'string' },
    streams: { type: 'string' },
    connections: { type: 'string' },
    'workflow-bundle': { type: 'string' },
    'write-bundle': { type: 'string' },
    owned: { type: 'boolean', default: false },
  },
});

function readOptions(): Options {
  if (values.fleet === undefined)
    throw new Failure('InvalidInput', 'the worker needs --fleet FILE', { field: 'fleet' });
  const named = values.queues?.split(',') ?? queueRoles;
  const unknown = named.filter((name) => !(queueRoles as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new Failure('InvalidInput', `no queue ${unknown.join(', ')}; there are ${queueRoles.join(', ')}`, {
      field: 'queues',
    });
  return {
    fleet: values.fleet,
    roles: named as QueueRole[],
    streams: positive('streams', cpus().length),
    bundle: values['workflow-bundle'],
    connections: positive('connections', limits.connectionsPerHost),
  };
}

function positive(field: 'streams' | 'connections', preset: number): number {
  const number = Number(values[field] ?? preset);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new Failure('InvalidInput', `--${field} ${values[field]} is no positive number`, { field });
}

/** The owner holds the other end of our stdin. When it is gone we shut down as on SIGTERM, and if that takes too long at once. */
function endWithOwner(): void {
  const end = (): void => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), limits.orphanMs).unref();
  };
  process.stdin.once('end', end).once('error', end).resume().unref();
}

async function writeBundle(path: string): Promise<void> {
  const { code } = await bundleWorkflowCode({ ...workflowPaths(), logger: new DefaultLogger('WARN') });
  await writeFile(path, code);
}

function workflowPaths(): { readonly workflowsPath: string; readonly payloadConverterPath: string } {
  return {
    workflowsPath: pathOf('./workflows/index.ts'),
    payloadConverterPath: pathOf('./workflows/payload-converter.ts'),
  };
}

function archivesOf(fleet: FleetFile, store: (name: string) => Store): Archives {
  const { archives } = fleet.fleet;
  if (!archives)
    throw new Failure('InvalidFleet', 'the fleet file names no place of archives (archives.folder)', {
      field: 'archives',
    });
  const { folder, gpgHome } = archives;
  return {
    source:
      folder === undefined
        ? archiveStore(store(archives.store ?? ''))
        : archiveFolder(resolvePath(fleet.baseDir, folder)),
    passphrase: () => resolveArchivePassphrase(fleet),
    gpgHome: gpgHome === undefined ? undefined : resolvePath(fleet.baseDir, gpgHome),
  };
}

function activitiesOf(fleet: FleetFile, pool: HostPool, temporal: Temporal): Activities {
  const stores = new Map<string, Store>();
  const storeOf = (name: string, use: StoreUse): Store => {
    const opened = stores.get(`${use} ${name}`) ?? openStore(name, describeStore(fleet, name, use));
    stores.set(`${use} ${name}`, opened);
    return opened;
  };
  return createActivities({
    version: versionOfPackage(),
    fleet: {
      name: fleet.fleet.fleet,
      digest: fleet.digest,
      lanes: Object.keys(fleet.fleet.lanes),
      caps: capsOf(fleet.fleet.limits),
      laneSpec: (lane) => fleet.laneSpec(lane),
      laneOn: (lane, host) => fleet.laneOn(lane, host),
    },
    keys: {
      fingerprint: () => resolveFingerprintKey(fleet),
      manifestSigner: () => resolveManifestKey(fleet),
      opening: () => resolveOpeningKey(fleet),
      manifestPublicKeysPem: async () => fleet.keys.manifest,
      receiptSigner: () => resolveReceiptKey(fleet),
      receiptPublicKeysPem: async () => fleet.keys.receipt,
      recipients: async () => fleet.keys.recipients,
    },
    pool,
    temporal: {
      hasPoller: (queue) => hasPoller(temporal.client, queue),
      describeHolder: (workflowId) => describeHolder(temporal.client, workflowId),
      activityAttempts: (run) => activityAttempts(temporal.client, run),
    },
    store: storeOf,
    archives: () => archivesOf(fleet, (name) => storeOf(name, 'vault')),
    keychainPassword: (lane) => resolveKeychainPassword(fleet, lane),
  });
}

function capsOf({ lanesAtOnce, streamsAtOnce, streamsPerHost }: FleetFile['fleet']['limits']): FleetCaps {
  return { lanesAtOnce, streamsAtOnce, streamsPerHost };
}

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(pathOf('../package.json'), 'utf8')) as { readonly version: string };
  return version;
}

function pathOf(module: string): string {
  return fileURLToPath(new URL(module, import.meta.url));
}

function workerOptions(
  role: QueueRole,
  activities: Activities,
  { streams, bundle }: Options,
): Omit<WorkerOptions, 'connection' | 'namespace'> {
  const isStream = role === 'data' || role === 'vaultData';
  const { workflowsPath, payloadConverterPath } = workflowPaths();
  const workflows =
    bundle === undefined
      ? { workflowsPath, dataConverter: { payloadConverterPath } }
      : { workflowBundle: { codePath: bundle } };
  return {
    taskQueue: queues[role],
    activities: activities[role],
    ...(role === 'host' ? workflows : {}),
    maxConcurrentActivityTaskExecutions: isStream ? streams : shortSlots,
    maxHeartbeatThrottleInterval: limits.heartbeatMs,
    defaultHeartbeatThrottleInterval: limits.heartbeatMs,
    stickyQueueScheduleToStartTimeout: '2s',
    shutdownGraceTime: shutdownGraceMs,
  };
}

/** The SDK's levels are ours in capitals, and one more. */
function logLevelOf(level: string): LogLevel {
  if (level === 'ERROR') return 'error';
  return level === 'WARN' ? 'warn' : 'debug';
}

async function main(): Promise<void> {
  const options = readOptions();
  const log = createLog({ name: 'worker' });
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => log.write(logLevelOf(level), message, meta ?? {})),
    telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'WARN' }) } },
  });
  const fleet = await loadFleet(options.fleet);
  const temporal = await connectTemporal();
  await registerSearchAttributes(temporal.client);
  const pool = new HostPool(() => resolveLogin(fleet), options.connections);
  const activities = activitiesOf(fleet, pool, temporal);
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = await NativeConnection.connect(connectionOptions);
  try {
    const workers = await Promise.all(
      options.roles.map((role) =>
        Worker.create({ ...workerOptions(role, activities, options), connection, namespace }),
      ),
    );
    if (options.roles.includes('host')) await registerWatch(temporal.client, fleet.fleet.fleet);
    log.info('worker ready', { queue: options.roles.map((role) => queues[role]).join(' ') });
    await Promise.all(workers.map((worker) => worker.run()));
  } finally {
    pool.close();
    await connection.close();
    await temporal.close();
  }
}

try {
  if (values.owned) endWithOwner();
  if (values['write-bundle'] === undefined) await main();
  else await writeBundle(values['write-bundle']);
} catch (error) {
  // what the operator can mend is told as such; a defect keeps its stack
  if (!isFailure(error)) throw error;
  process.stderr.write(`error: ${describeFailure(error.code, error.message)}\n`);
  process.exitCode = exitStatusOf(error.code);
}
// Not by running out of work: ssh2's native ciphers were seen to abort Node 24 when they are collected in its teardown.
process.exit();
