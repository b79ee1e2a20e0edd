// Everything of Clawback on one machine, for demo, end-to-end and fault tests: a bed, keys, a fleet file, a real
// Temporal server and workers as processes of their own, which can be killed.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { workerEnv, workerNodeFlags } from '../../src/config/worker-process.ts';
import { placeKeys } from './keys.ts';
import { type DevServer, startDevServer } from '../../src/embedded/dev-server.ts';
import { type OwnedProcess, spawnOwned } from '../../src/embedded/owned-process.ts';
import { ensureTemporalCli } from '../../src/embedded/temporal-cli.ts';
import { hasPoller } from '../../src/client/temporal-view.ts';
import { queueRoles, queues, type QueueRole } from '../../src/contract/names.ts';
import { type Bed, type BedOptions, fleetYaml, startBed } from '../bed/bed.ts';
import type { S3Bed } from '../bed/s3.ts';
import { ensureWorkflowBundle } from '../setup/workflow-bundle.ts';
import { openRigStore, type RigStore, type RigStoreKind, storeOfEnvironment } from './rig-store.ts';

const project = resolve(import.meta.dirname, '../..');

export interface RigOptions extends Omit<BedOptions, 'dir'> {
  readonly dir: string;
  /** Keeps the server's state over kill -9. */
  readonly durableServer?: boolean;
  readonly headless?: boolean;
  /** Default: `CLAWBACK_RIG_STORE`, else a directory. With `s3`, versitygw keeps it in the rig's folder. */
  readonly store?: RigStoreKind;
  /** Looks at the bed before anything else is started on it; what it throws ends the start. */
  readonly onBed?: (bed: Bed) => Promise<void>;
}

export class Rig {
  readonly bed: Bed;
  readonly fleetPath: string;
  /** Where the store's objects lie as files, by their keys, whatever serves them. */
  readonly storePath: string;
  /** The server of an S3 store. */
  readonly s3: S3Bed | undefined;
  readonly dir: string;
  readonly #options: RigOptions;
  server!: DevServer;
  client!: Client;
  #connection: Connection | undefined;
  readonly workers = new Set<OwnedProcess>();

  private constructor(options: RigOptions, bed: Bed, fleetPath: string, store: RigStore) {
    this.#options = options;
    this.bed = bed;
    this.dir = options.dir;
    this.fleetPath = fleetPath;
    this.storePath = store.path;
    this.s3 = store.s3;
  }

  static async start(options: RigOptions): Promise<Rig> {
    await mkdir(options.dir, { recursive: true });
    for (const stale of ['keys', 'store', 's3', 'temporal.db'])
      await rm(join(options.dir, stale), { recursive: true, force: true });
    const bed = await startBed({ ...options, dir: join(options.dir, 'bed') });
    let store: RigStore | undefined;
    try {
      await options.onBed?.(bed);
      const keysDir = join(options.dir, 'keys');
      await placeKeys(keysDir);
      store = await openRigStore(options.store ?? storeOfEnvironment(), { dir: options.dir, keysDir });
      const fleetPath = join(options.dir, 'fleet.yaml');
      const described = store.entry === undefined ? {} : { store: store.entry };
      await writeFile(fleetPath, await fleetYaml(bed, { storePath: store.path, keysDir, ...described }));
      const rig = new Rig(options, bed, fleetPath, store);
      await rig.startServer();
      return rig;
    } catch (error) {
      await store?.s3?.stop();
      await bed.stop();
      throw error;
    }
  }

  /** Starts the server, or the killed one again: same ports, same database. */
  async startServer(): Promise<void> {
    const { path } = await ensureTemporalCli();
    this.server = await startDevServer({
      cli: path,
      headless: this.#options.headless ?? true,
      ...(this.#options.durableServer ? { dbFile: join(this.dir, 'temporal.db') } : {}),
      ...(this.server ? { ports: this.server.ports } : {}),
    });
    await this.#connection?.close();
    this.#connection = await Connection.connect({ address: this.server.address });
    this.client = new Client({ connection: this.#connection });
  }

  /** What processes of Clawback need to find server and fleet. */
  get env(): NodeJS.ProcessEnv {
    return { ...process.env, TEMPORAL_ADDRESS: this.server.address, CLAWBACK_FLEET: this.fleetPath };
  }

  /** Starts a worker process and waits until it polls. */
  async startWorker(roles: readonly QueueRole[] = queueRoles): Promise<OwnedProcess> {
    const bundle = await ensureWorkflowBundle();
    const argv = [
      process.execPath,
      ...workerNodeFlags,
      join(project, 'src/worker.ts'),
      '--fleet',
      this.fleetPath,
      '--queues',
      roles.join(','),
      '--workflow-bundle',
      bundle,
    ];
    const worker = await spawnOwned(argv, { ...this.env, ...workerEnv });
    const asked = { toEnd: false };
    const told: OwnedProcess = {
      ...worker,
      stop: () => ((asked.toEnd = true), worker.stop()),
      kill: () => ((asked.toEnd = true), worker.kill()),
    };
    this.workers.add(told);
    void worker.exited.then((status) => {
      this.workers.delete(told);
      // else whoever waits for its work waits until a test's time is over, and nobody learns why
      if (!asked.toEnd) process.stderr.write(`worker ${worker.pid} ended with ${status}, unasked:\n${worker.tail()}\n`);
    });
    await this.#waitForPollers(told, roles);
    return told;
  }

  async #waitForPollers(worker: OwnedProcess, roles: readonly QueueRole[]): Promise<void> {
    const deadlineMs = Date.now() + 60_000;
    for (const role of roles) {
      while (!(await hasPoller(this.client, queues[role]))) {
        const gone = await Promise.race([worker.exited, sleep(200)]);
        if (typeof gone === 'number') throw new Error(`the worker ended with ${gone}:\n${worker.tail()}`);
        if (Date.now() > deadlineMs) throw new Error(`no poller on ${queues[role]} after a minute:\n${worker.tail()}`);
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => worker.stop()));
    await this.#connection?.close();
    await this.server.stop();
    await this.s3?.stop();
    await this.bed.stop();
  }
}
