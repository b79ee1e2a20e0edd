// A rig whose workers meet faults: a bed, a Temporal server whose database outlives it, and workers of the shipped
// program with the fault folder before them. Two workers by default, so that one is there when the other dies.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type OwnedProcess, spawnOwned } from '../../src/embedded/owned-process.ts';
import { parse, stringify } from 'yaml';
import { markDirectory } from '../../src/store/directory-marker.ts';
import { type Bed, type BedKind, type BedOptions, bestBedKind } from '../bed/bed.ts';
import { HttpFaults } from '../bed/http-faults.ts';
import { TcpProxy } from '../bed/tcp-proxy.ts';
import { Rig } from '../rig/rig.ts';
import { type RigStoreKind, storeOfEnvironment } from '../rig/rig-store.ts';
import { ensureWorkflowBundle } from '../setup/workflow-bundle.ts';
import { FaultFolder } from './fault-folder.ts';

const project = resolve(import.meta.dirname, '../..');
/** The smallest that a fleet file may ask for: a lane of a few MB has ranges, and a dozen segments. */
const segmentBytes = '1MiB';
/** 1.5 MB of it are one pack file: two ranges. */
export const laneBytes = 5_000_000;

export interface FaultRigOptions {
  readonly dir: string;
  /** Names, lanes and profiles; those without lanes are standbys. */
  readonly hosts: BedOptions['hosts'];
  /** Puts a proxy before the host, which can cut, stall and slow every connection. */
  readonly proxied?: boolean;
  /** The truest that this machine can do when left out. */
  readonly kind?: BedKind;
  /** With `s3`, the server stands behind a proxy that can answer in its place. Default: `CLAWBACK_RIG_STORE`. */
  readonly store?: RigStoreKind;
}

interface Proxies {
  readonly host: TcpProxy | undefined;
  readonly store: HttpFaults | undefined;
}

interface FleetText {
  hosts: Record<string, { address: string; port: number; standby?: boolean }>;
  stores: Record<string, object>;
  limits?: { segment: string };
}

export class FaultRig {
  readonly rig: Rig;
  readonly faults: FaultFolder;
  readonly #proxy: TcpProxy | undefined;
  readonly #storeProxy: HttpFaults | undefined;
  readonly #workers = new Set<OwnedProcess>();
  /** One for all of a rig's workers, whatever becomes of the sources meanwhile. */
  readonly #bundle: string;

  private constructor(rig: Rig, bundle: string, proxies: Proxies) {
    this.rig = rig;
    this.#proxy = proxies.host;
    this.#storeProxy = proxies.store;
    this.#bundle = bundle;
    this.faults = new FaultFolder(join(rig.dir, 'faults'));
  }

  static async start(options: FaultRigOptions): Promise<FaultRig> {
    const { dir, hosts, proxied = false, kind = bestBedKind() } = options;
    const store = options.store ?? storeOfEnvironment();
    const bundle = await ensureWorkflowBundle();
    const rig = await Rig.start({ dir, kind, hosts, dataBytes: laneBytes, durableServer: true, store });
    const proxies = {
      host: proxied ? await proxyOf(rig.bed) : undefined,
      store: rig.s3 === undefined ? undefined : await HttpFaults.start(rig.s3.server.endpoint),
    };
    const approvers = [makeApprover(dir)];
    const standbys = hosts.filter(({ lanes }) => lanes === 0).map(({ name }) => name);
    const changes = { approvers, standbys, proxies };
    writeFileSync(rig.fleetPath, changedFleet(readFileSync(rig.fleetPath, 'utf8'), changes));
    await markDirectory('far', join(rig.dir, 'far'));
    return new FaultRig(rig, bundle, proxies);
  }

  /** Where copies of the lanes' bundles lie, as files. */
  get replicaPath(): string {
    return join(this.rig.dir, 'far');
  }

  get proxy(): TcpProxy {
    if (!this.#proxy) throw new Error('this rig has no proxy');
    return this.#proxy;
  }

  /** What stands before the S3 server. */
  get storeProxy(): HttpFaults {
    if (!this.#storeProxy) throw new Error('this rig has no S3 server');
    return this.#storeProxy;
  }

  get workers(): readonly OwnedProcess[] {
    return [...this.#workers];
  }

  worker(pid: number): OwnedProcess {
    const found = this.workers.find((one) => one.pid === pid);
    if (!found) throw new Error(`no worker has the pid ${pid}`);
    return found;
  }

  /** Brings the number of living workers up to `count`; resolves when all of them poll. */
  async ensureWorkers(count = 2): Promise<void> {
    const missing = Math.max(0, count - this.#workers.size);
    await Promise.all(Array.from({ length: missing }, () => this.#startWorker()));
  }

  async #startWorker(): Promise<void> {
    const preload = ['--import', join(import.meta.dirname, 'faulty-worker.ts')];
    const program = [join(project, 'src/worker.ts'), '--fleet', this.rig.fleetPath, '--workflow-bundle', this.#bundle];
    const env = { ...this.rig.env, CLAWBACK_FAULTS: this.faults.dir };
    const worker = await spawnOwned([process.execPath, ...preload, ...program], env);
    this.#workers.add(worker);
    this.rig.workers.add(worker);
    let exitStatus: number | undefined;
    void worker.exited.then((status) => {
      exitStatus = status;
      this.#workers.delete(worker);
      this.rig.workers.delete(worker);
    });
    const untilMs = Date.now() + 60_000;
    while (!worker.tail().includes('worker ready')) {
      if (exitStatus !== undefined || Date.now() > untilMs) {
        throw new Error(`the worker does not start (exit status ${exitStatus}):\n${worker.tail()}`);
      }
      await sleep(50);
    }
  }

  /** kill -9 of the Temporal server and of every worker, at once; both come back, at the same addresses. */
  async killEverything(): Promise<void> {
    this.rig.server.kill();
    for (const worker of this.workers) worker.kill();
    await Promise.all([this.rig.server.exited, ...this.workers.map(({ exited }) => exited)]);
    await this.rig.startServer();
    await this.ensureWorkers();
  }

  async stop(): Promise<void> {
    await this.#proxy?.close();
    await this.rig.stop();
    await this.#storeProxy?.close();
  }
}

export const hostName = 'mac-1';

async function proxyOf(bed: Bed): Promise<TcpProxy> {
  const { address, port } = bed.host(hostName);
  return TcpProxy.start({ host: address, port });
}

/** Who approves plans of incidents, and with which key. */
export function approver(dir: string): { readonly name: string; readonly keyFile: string } {
  return { name: 'ada', keyFile: join(dir, 'ada') };
}

interface Approver {
  readonly name: string;
  readonly key: string;
}

function makeApprover(dir: string): Approver {
  const { name, keyFile } = approver(dir);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keyFile]);
  return { name, key: readFileSync(`${keyFile}.pub`, 'utf8').trim() };
}

interface FleetChanges {
  readonly approvers: readonly Approver[];
  readonly standbys: readonly string[];
  readonly proxies: Proxies;
}

/** Small segments, the proxies' addresses for the host's and the store's, and all that incidents want: somebody to approve, standbys, hooks. */
function changedFleet(text: string, { approvers, standbys, proxies }: FleetChanges): string {
  const fleet = parse(text) as FleetText;
  const host = fleet.hosts[hostName];
  const regions = { hk: { control: { address: host?.address, port: host?.port } } };
  if (host && proxies.host) Object.assign(host, { address: '127.0.0.1', port: proxies.host.port });
  for (const name of standbys) Object.assign(fleet.hosts[name] ?? {}, { standby: true });
  const far = { kind: 'directory', path: 'far', region: 'far', replicaOf: 'primary' };
  const primary = { ...fleet.stores['primary'], ...(proxies.store ? { endpoint: proxies.store.endpoint } : {}) };
  const stores = { ...fleet.stores, primary, far };
  const playbooks = { 'disk-full': { approval: 'required' }, 'cross-write': { approval: 'required' }, approvers };
  const more = {
    archives: { folder: 'archives' },
    hooks: hooks(),
    limits: { segment: segmentBytes },
    regions,
    playbooks,
  };
  return stringify({ ...fleet, stores, ...more }, { lineWidth: 0 });
}

function hooks(): Record<string, { readonly command: readonly string[] }> {
  // long enough for a worker to die in one
  const sleeps = { command: ['/bin/sleep', '2'] };
  const answers = (answer: string) => ({ command: ['/bin/echo', answer] });
  return { upgrade: sleeps, pin: sleeps, fence: answers('{"fenced":"power-off"}'), dns: answers('{}') };
}
