// The worker: the one place where fleet file, keys, stores, connections, activities and workflows meet.
// `node src/worker.ts --fleet FILE [--queues host,data,vault,vaultData] [--streams N]`; started by the CLI.

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import {
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
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      fleet: { type: 'string' },
      queues: { type: 'string' },
      streams: { type: 'string' },
      'workflow-bundle': { type: 'string' },
    },
  });
  if (values.fleet === undefined)
    throw new Failure('InvalidInput', 'the worker needs --fleet FILE', { field: 'fleet' });
  const named = values.queues?.split(',') ?? queueRoles;
  const unknown = named.filter((name) => !(queueRoles as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new Failure('InvalidInput', `no queue ${unknown.join(', ')}; there are ${queueRoles.join(', ')}`, {
      field: 'queues',
    });
  const streams = Number(values.streams ?? cpus().length);
  if (!Number.isInteger(streams) || streams < 1)
    throw new Failure('InvalidInput', `--streams ${values.streams} is no positive number`, { field: 'streams' });
  return { fleet: values.fleet, roles: named as QueueRole[], streams, bundle: values['workflow-bundle'] };
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
  const workflows =
    bundle === undefined
      ? {
          workflowsPath: pathOf('./workflows/index.ts'),
          dataConverter: { payloadConverterPath: pathOf('./workflows/payload-converter.ts') },
        }
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
  const pool = new HostPool(() => resolveLogin(fleet));
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
  await main();
} catch (error) {
  // what the operator can mend is told as such; a defect keeps its stack
  if (!isFailure(error)) throw error;
  process.stderr.write(`error: ${describeFailure(error.code, error.message)}\n`);
  process.exitCode = exitStatusOf(error.code);
}
// Not by running out of work: ssh2's native ciphers were seen to abort Node 24 when they are collected in its teardown.
process.exit();
