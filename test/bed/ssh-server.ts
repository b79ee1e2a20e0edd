// An SSH server for machines without sshd, by ssh2: public keys only, one command a channel, no terminal. It is run in
// a process of its own, with its configuration as the first line of stdin.

import { type ChildProcess, spawn } from 'node:child_process';
import { timingSafeEqual } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import ssh2 from 'ssh2';

export interface SshServerConfig {
  readonly address: string;
  readonly port: number;
  readonly hostKeyPath: string;
  readonly authorizedKey: string;
  readonly user: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly readyPath: string;
  readonly pidPath: string;
  readonly outlivesOwner: boolean;
}

const lines = createInterface({ input: process.stdin });
const config = JSON.parse(await new Promise<string>((resolve) => lines.once('line', resolve))) as SshServerConfig;
const authorized = ssh2.utils.parseKey(config.authorizedKey);
if (authorized instanceof Error) throw authorized;
const key = Array.isArray(authorized) ? authorized[0] : authorized;

function same(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

function authenticate(context: ssh2.AuthContext): void {
  if (context.method !== 'publickey') return context.reject(['publickey']);
  const known =
    context.username === config.user && context.key.algo === key.type && same(context.key.data, key.getPublicSSH());
  const proven =
    context.signature === undefined ||
    (context.blob !== undefined && key.verify(context.blob, context.signature, context.hashAlgo) === true);
  if (known && proven) context.accept();
  else context.reject(['publickey']);
}

/** One command, in a session of its own as sshd gives it; its end tells status or signal. */
function run(channel: ssh2.ServerChannel, command: string): void {
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: config.cwd,
    env: config.environment,
    detached: true,
    stdio: 'pipe',
  });
  channel.pipe(child.stdin);
  child.stdin.on('error', () => channel.unpipe(child.stdin));
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  channel.on('error', () => undefined);
  channel.on('close', () => [child.stdin, child.stdout, child.stderr].forEach((stream) => stream.destroy()));
  child.on('error', () => channel.close());
  child.on('close', (code, signal) => finish(channel, child, code, signal));
}

function finish(
  channel: ssh2.ServerChannel,
  child: ChildProcess,
  code: number | null,
  signal: NodeJS.Signals | null,
): void {
  if (channel.destroyed || child.pid === undefined) return;
  if (code === null) channel.exit((signal ?? 'SIGKILL').replace('SIG', ''), false, '');
  else channel.exit(code);
  channel.end();
}

const maxSessions = 10;

const server = new ssh2.Server({ hostKeys: [readFileSync(config.hostKeyPath)] }, (client) => {
  let sessions = 0;
  client.on('error', () => undefined);
  client.on('authentication', authenticate);
  client.on('session', (accept, reject) => {
    if (sessions >= maxSessions) return reject();
    sessions += 1;
    const session = accept();
    session.on('close', () => (sessions -= 1));
    session.on('pty', (_accept, refuse) => refuse?.());
    session.on('exec', (take, _refuse, info) => run(take(), info.command));
  });
});

server.listen(config.port, config.address, () => {
  writeFileSync(config.pidPath, String(process.pid));
  writeFileSync(config.readyPath, '');
});
if (!config.outlivesOwner) lines.once('close', () => process.exit(0));
