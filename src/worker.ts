// The worker: the one place where fleet file, keys, stores, connections, activities and workflows meet.
// Started by the CLI, with the options of config/worker-options.ts.

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
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
import { registerSearchAttributes, registerWatches } from './client/register.ts';
import { applySchedules } from './client/schedules.ts';
import { activityAttempts, describeHolder, hasPoller, movedLanes } from './client/temporal-view.ts';
import { loadFleet, type FleetFile } from './config/fleet-file.ts';
import { configuredHooks, resolveHook } from './config/fleet-hooks.ts';
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
import { readWorkerOptions, type WorkerSettings } from './config/worker-options.ts';
import { classTwoRpoMs, rpoRulesOf } from './contract/rpo-rules.ts';
import { type QueueRole, queues } from './contract/names.ts';
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
      watched: fleet.watched,
      rpoRules: rpoRulesOf(fleet.fleet),
      classTwoRpoMs: (lane) => classTwoRpoMs(fleet.fleet, lane),
      laneSpec: (lane, placed) => fleet.laneSpec(lane, placed),
      hosts: Object.keys(fleet.fleet.hosts),
      hostFacts: (host) => fleet.hostFacts(host),
      storeRegion: (store) => fleet.fleet.stores[store]?.region,
      newHostLines: (lost, placed) => fleet.newHostLines(lost, placed),
      hostTarget: (host) => fleet.hostTarget(host),
      playbooks: fleet.fleet.playbooks,
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
      movedLanes: (ids) => movedLanes(temporal.client, ids),
    },
    hooks: { kinds: configuredHooks(fleet), resolve: (kind) => resolveHook(fleet, kind) },
    store: storeOf,
    archives: () => archivesOf(fleet, (name) => storeOf(name, 'vault')),
    applySchedules: async (zones) => {
      const planned = fleet.schedules(zones);
      await applySchedules(temporal.client, fleet.fleet.fleet, planned);
      return planned.length;
    },
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
  { streams, bundle }: WorkerSettings,
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

async function work(options: WorkerSettings): Promise<void> {
  if (options.owned) endWithOwner();
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
    if (options.roles.includes('host')) await registerWatches(temporal.client, fleet.fleet.fleet);
    log.info('worker ready', { queue: options.roles.map((role) => queues[role]).join(' ') });
    await Promise.all(workers.map((worker) => worker.run()));
  } finally {
    pool.close();
    await connection.close();
    await temporal.close();
  }
}

try {
  const options = readWorkerOptions(process.argv.slice(2));
  await ('writeBundle' in options ? writeBundle(options.writeBundle) : work(options));
} catch (error) {
  // what the operator can mend is told as such; a defect keeps its stack
  if (!isFailure(error)) throw error;
  process.stderr.write(`error: ${describeFailure(error.code, error.message)}\n`);
  process.exitCode = exitStatusOf(error.code);
}
// Not by running out of work: ssh2's native ciphers were seen to abort Node 24 when they are collected in its teardown.
process.exit();
