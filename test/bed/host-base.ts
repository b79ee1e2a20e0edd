// What every kind of host has in common: the daemon that plays launchd and securityd, its life and its end. How
// commands get in (sshd, an SSH server of ours, a namespace) is each kind's own.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { BedHost, BedProfile } from './bed-types.ts';
import { type HostPlan, pathOf } from './host-plan.ts';
import type { LanePlan } from './lane-plan.ts';
import { endAll, isAlive, markedWith, nameOf, type ProcessRecord, recordOf, signal, treeOf } from './processes.ts';
import type { HostDaemonConfig } from './stand-ins/host-daemon.ts';

export interface HostParts {
  readonly plan: HostPlan;
  readonly lanes: readonly LanePlan[];
  readonly hostKey: string;
  readonly publicKey: string;
  /** Called when the host's processes are others, for the pid file. */
  readonly onProcesses: () => void;
}

export abstract class BaseHost implements BedHost {
  readonly plan: HostPlan;
  readonly hostKey: string;
  protected readonly lanes: readonly LanePlan[];
  /** Every process we started for this host, for the pid file and for the end. */
  protected processes: ProcessRecord[] = [];
  /** The key that may log in, as a line of authorized_keys. */
  protected readonly publicKey: string;
  readonly #onProcesses: () => void;

  constructor(parts: HostParts) {
    this.plan = parts.plan;
    this.lanes = parts.lanes;
    this.hostKey = parts.hostKey;
    this.publicKey = parts.publicKey;
    this.#onProcesses = parts.onProcesses;
  }

  get name(): string {
    return this.plan.name;
  }
  get address(): string {
    return this.plan.address;
  }
  get port(): number {
    return this.plan.port;
  }
  get user(): string {
    return this.plan.login.name;
  }
  get root(): string {
    return this.plan.root;
  }
  get realRoot(): string {
    return this.plan.realRoot;
  }
  get profile(): BedProfile {
    return this.plan.profile;
  }
  get tools(): Readonly<Record<string, string>> {
    const { toolsDir } = this.plan;
    const names = ['sudo', 'tar', 'launchctl', 'security', 'sqlite3', 'curl', 'pgrep', 'ps'];
    return toolsDir === undefined ? {} : Object.fromEntries(names.map((tool) => [tool, join(toolsDir, tool)]));
  }

  get alive(): readonly ProcessRecord[] {
    return this.processes.filter(isAlive);
  }

  abstract startSshd(): Promise<void>;
  protected abstract startDaemon(unlocked: boolean): Promise<void>;
  abstract setSudo(account: string, allowed: boolean): void;
  /** The process to stop and end for the listener's sake. */
  protected abstract sshdPid(): number | undefined;

  /** The first boot: keychains are open, as their operator left them. */
  async start(): Promise<void> {
    await Promise.all([this.startDaemon(true), this.startSshd()]);
  }

  async boot(): Promise<void> {
    await Promise.all([this.startDaemon(false), this.startSshd()]);
  }

  async kill(): Promise<void> {
    // the tree is taken while it hangs together: orphans of a dead listener have no parent to be found by
    const known = new Set(treeOf(this.alive.map((record) => record.pid)));
    await endAll(() => {
      const left = [
        ...treeOf(this.alive.map((record) => record.pid)),
        ...markedWith(`BED_HOST=${this.plan.mark}`),
        ...[...known].filter((pid) => recordOf(pid) !== undefined),
      ];
      known.clear();
      return [...new Set(left)];
    });
    this.processes = [];
    this.#onProcesses();
  }

  async reboot(): Promise<void> {
    await this.kill();
    await this.boot();
  }

  pauseSshd(): void {
    for (const pid of this.#sshdTree()) signal(pid, 'SIGSTOP');
  }

  resumeSshd(): void {
    for (const pid of this.#sshdTree()) signal(pid, 'SIGCONT');
  }

  async killSshd(): Promise<void> {
    const records = this.#sshdTree()
      .map((pid) => recordOf(pid))
      .filter((record) => record !== undefined);
    await endAll(() => records.filter(isAlive).map((record) => record.pid));
  }

  /** The listener and its sessions, but not the commands that run in them. */
  #sshdTree(): number[] {
    const pid = this.sshdPid();
    return pid === undefined ? [] : treeOf([pid]).filter((one) => one === pid || isSshd(one));
  }

  async setConsoleUser(uid: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      request({ socketPath: this.socketPath(), path: `/console/${uid}`, method: 'POST' }, (response) =>
        response.resume().on('end', resolve),
      )
        .on('error', reject)
        .end();
    });
  }

  protected socketPath(): string {
    return this.plan.realSocket;
  }

  protected remember(child: ChildProcess): void {
    const record = child.pid === undefined ? undefined : recordOf(child.pid);
    if (record !== undefined) this.processes = [...this.alive, record];
    this.#onProcesses();
  }

  protected daemonConfig(unlocked: boolean): HostDaemonConfig {
    const { plan } = this;
    return {
      root: plan.root,
      users: [plan.login, ...plan.lanes],
      realUsers: plan.kind === 'namespaces',
      environment: { BED_HOST: plan.mark },
      path: pathOf(plan),
      teardownMs: 30,
      socket: plan.socket,
      readyPath: join(plan.hostStateDir, 'daemon.ready'),
      sshdPidPath: join(plan.hostStateDir, 'sshd.pid'),
      unlocked: unlocked ? this.lanes.map((lane) => ({ path: lane.keychain, password: lane.keychainPassword })) : [],
      outlivesOwner: plan.outlivesOwner,
    };
  }

  /** Starts a program that reads its configuration from stdin and says by a file that it is ready. */
  protected async startReady(
    argv: readonly string[],
    config: object,
    names: { readonly log: string; readonly ready: string },
  ): Promise<ChildProcess> {
    const readyPath = join(this.plan.stateDir, names.ready);
    rmSync(readyPath, { force: true });
    const logPath = join(this.plan.stateDir, names.log);
    const log = openSync(logPath, 'a', 0o600);
    const [program = '', ...args] = argv;
    const child = spawn(program, args, {
      detached: true,
      stdio: ['pipe', log, log],
      env: { PATH: pathOf(this.plan), BED_HOST: this.plan.mark },
    });
    closeSync(log);
    giveConfig(child, config);
    child.unref();
    this.remember(child);
    await waitUntil(
      () => existsSync(readyPath),
      () => `${names.log} of ${this.name}: ${tail(logPath)}`,
      () => child.exitCode !== null,
    );
    return child;
  }

  /** Until the port greets as SSH does. */
  protected async sshdAnswers(isGone: () => boolean): Promise<void> {
    const { address, port, stateDir } = this.plan;
    const untilMs = Date.now() + 10_000;
    while (!(await greets(address, port))) {
      if (Date.now() > untilMs || isGone())
        throw new Error(
          `sshd of ${this.name} does not answer on ${address}:${port}: ${tail(join(stateDir, 'sshd.log'))}`,
        );
      await pause(5);
    }
  }

  protected denySudoByFile(account: string, allowed: boolean): void {
    const path = join(this.plan.stateDir, 'sudo-denied');
    const before = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    const denied = before.filter((name) => name !== '' && name !== account);
    writeFileSync(path, [...denied, ...(allowed ? [] : [account]), ''].join('\n'));
  }
}

/** stdin carries the configuration, and then stays open for as long as the owner lives. */
export function giveConfig(child: ChildProcess, config: object): void {
  const stdin = child.stdin as (Writable & { unref(): void }) | null;
  stdin?.on('error', () => undefined);
  stdin?.write(`${JSON.stringify(config)}\n`);
  stdin?.unref();
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function waitUntil(
  holds: () => boolean,
  describe: () => string,
  isHopeless: () => boolean,
  withinMs = 15_000,
): Promise<void> {
  const untilMs = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > untilMs || isHopeless()) throw new Error(describe());
    await pause(5);
  }
}

export function isSshd(pid: number): boolean {
  return nameOf(pid).startsWith('sshd');
}

export function tail(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').slice(-2000) : '(no log)';
}

function greets(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => end(false));
    socket.once('data', (data) => end(data.toString('latin1').startsWith('SSH-')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
