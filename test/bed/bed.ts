// The bed: Mac-like hosts over real SSH on this one machine, with lanes that answer messages. What it starts ends with
// the process that started it, or is ended by the next `startBed` in the same folder.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { encodeOpenSshKey, type OpenSshKeyPair } from '../../src/config/openssh-key.ts';
import { cleanBed, writeBedFile } from './bed-file.ts';
import type { Bed, BedKind, BedOptions } from './bed-types.ts';
import type { BaseHost } from './host-base.ts';
import { installPrograms, makeDisk, makeLane } from './host-disk.ts';
import type { BedUser, HostPlan } from './host-plan.ts';
import { canMakeNamespaces, insideNode, insideState, NamespaceHost } from './host-namespaces.ts';
import { InProcessHost } from './host-in-process.ts';
import { SshdHost } from './host-sshd.ts';
import { FreePorts } from './free-ports.ts';
import { type LanePlan, planLane } from './lane-plan.ts';
import { findPrograms, type Programs } from './programs.ts';
import { StartedBed } from './started-bed.ts';

export { cleanBed } from './bed-file.ts';
export type { Bed, BedKind, BedLane, BedOptions } from './bed-types.ts';
export { fleetYaml } from './fleet-yaml.ts';

/** The truest kind that this machine can do. */
export function bestBedKind(): BedKind {
  const programs = findPrograms();
  if (programs.sshd === undefined) return 'in-process';
  return canMakeNamespaces(programs) ? 'namespaces' : 'sshd';
}

/**
 * Starts hosts and lanes; when it resolves, every lane's gateway is running (it may still be starting to listen) and
 * every keychain is open. May be called again in the same `dir` once the earlier bed is stopped or its owner dead.
 */
export async function startBed(options: BedOptions): Promise<Bed> {
  const dir = resolve(options.dir);
  await cleanBed(dir);
  for (const { name } of options.hosts) rmSync(join(dir, name), { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const programs = withoutSome(findPrograms(), options.without ?? []);
  const sshKey = newKey('clawback-bed');
  const sshKeyPath = join(dir, 'ssh_key');
  writePrivate(sshKeyPath, sshKey.privateKey);
  const sockets = mkdtempSync(join(shortTemporaryFolder(), 'bed-'));
  chmodSync(sockets, 0o755);
  // short names for what every command line and every activity's input carries
  if (options.kind !== 'namespaces') symlinkSync(programs.node, join(sockets, 'node'));
  const hosts: BaseHost[] = [];
  const lanes: LanePlan[] = [];
  const save = (): void =>
    writeBedFile(dir, {
      marks: hosts.map((host) => host.plan.mark),
      processes: hosts.flatMap((host) => host.alive),
      folders: [sockets],
      outlivesOwner: options.outlivesOwner === true,
    });
  const ports = new FreePorts();
  let laneNumber = 0;
  for (const [index, wanted] of options.hosts.entries()) {
    const numbers = Array.from({ length: wanted.lanes }, () => (laneNumber += 1));
    const plan = await planHost({ options, index, numbers, dir, sockets, programs, ports });
    const planned = await Promise.all(
      numbers.map(async (number) => planLane(plan, number, await ports.take('127.0.0.1'))),
    );
    lanes.push(...planned);
    hosts.push(makeHost(plan, planned, sshKey.publicKey, save));
  }
  const bed = new StartedBed({
    kind: options.kind,
    dir,
    hosts,
    lanes,
    sshKey: Buffer.from(sshKey.privateKey),
    sshKeyPath,
    programs,
    folder: sockets,
  });
  try {
    // all disks first: planting data keeps this process busy for seconds, in which no sshd would be seen to answer
    for (const host of hosts)
      makeDisks(
        host,
        lanes.filter((lane) => lane.host === host.name),
        options,
      );
    await Promise.all(hosts.map((host) => host.start()));
  } catch (error) {
    await bed.stop();
    throw error;
  }
  return bed;
}

/** A barer machine than this one. */
function withoutSome(programs: Programs, names: readonly (keyof Programs)[]): Programs {
  return { ...programs, ...Object.fromEntries(names.map((name) => [name, undefined])) };
}

function makeDisks(host: BaseHost, lanes: readonly LanePlan[], options: BedOptions): void {
  makeDisk(host.plan);
  installPrograms(host.plan);
  for (const lane of lanes)
    makeLane(host.plan, lane, { dataBytes: options.dataBytes ?? 0, chatterMs: options.chatterMs ?? 0 });
}

function writePrivate(path: string, content: string): void {
  writeFileSync(path, content, { mode: 0o600 });
  chmodSync(path, 0o600);
}

/** Socket paths end at 104 bytes on macOS, and a lane's slice of every activity's input at 1 KB (limits.ts). */
function shortTemporaryFolder(): string {
  return tmpdir().length < 60 ? tmpdir() : '/tmp';
}

interface PlanInputs {
  readonly options: BedOptions;
  readonly index: number;
  readonly numbers: readonly number[];
  readonly dir: string;
  readonly sockets: string;
  readonly programs: Programs;
  readonly ports: FreePorts;
}

async function planHost(inputs: PlanInputs): Promise<HostPlan> {
  const { options, index, dir, programs } = inputs;
  const { kind } = options;
  const wanted = options.hosts[index];
  if (wanted === undefined) throw new Error(`no host ${index}`);
  const stateDir = join(dir, wanted.name, 'state');
  const realRoot = join(dir, wanted.name, kind === 'namespaces' ? 'disk' : 'root');
  const root = kind === 'namespaces' ? '/' : realRoot;
  mkdirSync(stateDir, { recursive: true });
  mkdirSync(realRoot, { recursive: true });
  const home = (name: string): string => (root === '/' ? `/Users/${name}` : join(root, 'Users', name));
  const user = (name: string, uid: number): BedUser => ({ name, uid, gid: uid, home: home(name) });
  const laneUser = (number: number): BedUser => user(`agent-lane-${number}`, 4500 + 100 * index + number);
  const address = kind === 'namespaces' ? `127.0.0.${11 + index}` : '127.0.0.1';
  const loginName = kind === 'sshd' ? userInfo().username : 'bedadmin';
  return {
    kind,
    name: wanted.name,
    mark: `${wanted.name}.${randomBytes(6).toString('hex')}`,
    stateDir,
    hostStateDir: kind === 'namespaces' ? insideState : stateDir,
    root,
    realRoot,
    systemRoot: kind === 'namespaces' ? join(stateDir, 'system') : realRoot,
    toolsDir: kind === 'namespaces' ? undefined : join(inputs.sockets, `tools-${index}`),
    socket: kind === 'namespaces' ? '/private/var/run/bed.sock' : join(inputs.sockets, `${index}.sock`),
    realSocket:
      kind === 'namespaces' ? join(realRoot, 'private/var/run/bed.sock') : join(inputs.sockets, `${index}.sock`),
    address,
    port: await inputs.ports.take(address),
    login: user(loginName, 4500 + 100 * index),
    lanes: [...inputs.numbers, ...(wanted.guests ?? []), ...(wanted.recruits ?? [])].map(laneUser),
    unmade: kind === 'namespaces' ? (wanted.recruits ?? []).map(laneUser) : [],
    profile: wanted.profile ?? 'slimvps-legacy',
    programs,
    hostNode: kind === 'namespaces' ? insideNode : join(inputs.sockets, 'node'),
    outlivesOwner: options.outlivesOwner === true,
  };
}

/** Not by ssh2's generator: OpenSSH refused 3 of 300 of its keys ("error in libcrypto"). */
function newKey(comment: string): OpenSshKeyPair {
  return encodeOpenSshKey(generateKeyPairSync('ed25519').privateKey, comment);
}

function makeHost(plan: HostPlan, lanes: readonly LanePlan[], publicKey: string, onProcesses: () => void): BaseHost {
  const keyPath = join(plan.stateDir, 'host_key');
  const key = newKey('');
  writePrivate(keyPath, key.privateKey);
  writePrivate(join(plan.stateDir, 'authorized_keys'), publicKey);
  const hostKey = key.publicKey.split(' ').slice(0, 2).join(' ').trim();
  const parts = { plan, lanes, hostKey, publicKey, onProcesses };
  if (plan.kind === 'namespaces') return new NamespaceHost(parts);
  if (plan.kind === 'sshd') return new SshdHost(parts);
  return new InProcessHost(parts);
}
