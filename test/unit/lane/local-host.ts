// A host for this room's tests: an sshd of our own on a high port with the machine's real tools, in a temporary folder.
// The login is the current user; the lane's user is the same, or `nobody` when we are root (then sudo is really used).

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import type { HostTarget, LaneTarget } from '../../../src/domain/lane-target.ts';
import { connectHost, type HostConnection } from '../../../src/lane/host-connection.ts';
import { LaneShell } from '../../../src/lane/lane-shell.ts';

// real processes on a machine that may be busy
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

export interface LocalHost {
  readonly folder: string;
  readonly host: HostTarget;
  readonly privateKey: Buffer;
  readonly sshdPid: number;
  lane(overrides?: Partial<LaneTarget>): LaneTarget;
  connect(host?: HostTarget): Promise<HostConnection>;
  shell(overrides?: Partial<LaneTarget>): Promise<LaneShell>;
  stop(): Promise<void>;
}

export const isRoot = process.getuid?.() === 0;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function keyPair(path: string, type = 'ed25519'): string {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', path]);
  return readFileSync(`${path}.pub`, 'utf8').trim();
}

function writeConfig(folder: string, port: number): string {
  const config = join(folder, 'sshd_config');
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${folder}/host_key`,
    `HostKey ${folder}/host_key_rsa`,
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    `PidFile ${folder}/sshd.pid`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PermitRootLogin yes',
    // a home of its own: the login shell must not run this machine's start-up files
    `SetEnv PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=${folder}`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  return config;
}

async function untilListening(child: ChildProcess, pidFile: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < 5000; waitedMs += 20) {
    if (existsSync(pidFile)) return;
    if (child.exitCode !== null) throw new Error(`sshd exited with ${child.exitCode}`);
    await sleep(20);
  }
  throw new Error('sshd does not listen');
}

function makeHome(folder: string, name: string): string {
  const home = join(folder, name);
  mkdirSync(home);
  if (isRoot) {
    const [uid, gid] = execFileSync('sh', ['-c', 'id -u nobody; id -g nobody'], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
    chownSync(home, uid ?? 0, gid ?? 0);
  }
  return home;
}

export async function startLocalHost(): Promise<LocalHost> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lane-room-')));
  chmodSync(folder, 0o755);
  const hostKey = keyPair(join(folder, 'host_key'));
  keyPair(join(folder, 'host_key_rsa'), 'rsa');
  writeFileSync(join(folder, 'authorized_keys'), `${keyPair(join(folder, 'user_key'))}\n`);
  const port = await freePort();
  if (isRoot) mkdirSync('/run/sshd', { recursive: true });
  const child = spawn('/usr/sbin/sshd', ['-D', '-f', writeConfig(folder, port)], { stdio: 'ignore' });
  await untilListening(child, join(folder, 'sshd.pid'));
  const privateKey = readFileSync(join(folder, 'user_key'));
  const host: HostTarget = {
    name: 'local',
    address: '127.0.0.1',
    port,
    user: userInfo().username,
    hostKey,
    root: '/',
    tools: { ps: '/usr/bin/ps', tar: '/usr/bin/bsdtar' },
  };
  const connections: HostConnection[] = [];
  let homes = 0;
  const lane = (overrides: Partial<LaneTarget> = {}): LaneTarget => {
    homes += 1;
    return {
      fleet: 'test',
      lane: `lane-${homes}`,
      host,
      user: isRoot ? 'nobody' : host.user,
      home: makeHome(folder, `home-${homes}`),
      label: 'com.slimvps.openclaw-lane1',
      domain: 'system',
      port: 1,
      profile: 'slimvps-legacy',
      keychain: '/nowhere',
      ...overrides,
    };
  };
  const connect = async (to: HostTarget = host) => {
    const connection = await connectHost(to, { privateKey });
    connections.push(connection);
    return connection;
  };
  return {
    folder,
    host,
    privateKey,
    sshdPid: child.pid ?? 0,
    lane,
    connect,
    shell: async (overrides) => {
      const target = lane(overrides);
      return new LaneShell(await connect(target.host), target);
    },
    stop: async () => {
      for (const connection of connections) connection.close();
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((resolve) => child.once('exit', resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
