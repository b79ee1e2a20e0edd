// The one process that plays launchd and securityd of a bed host. Started by the bed, which writes its configuration
// (it holds keychain passwords) as the first line of stdin; when stdin closes, the owner is gone, and so is the host.

import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { endAll, markedWith, treeOf } from '../processes.ts';
import { Keychains } from './keychains.ts';
import { launchctl } from './launchctl.ts';
import { Launchd, type LaunchdOptions } from './launchd.ts';
import { asShell, readCall, type Reply } from './reply.ts';
import { security } from './security.ts';

export interface HostDaemonConfig extends LaunchdOptions {
  readonly socket: string;
  /** Written when the daemon listens and has booted its jobs. */
  readonly readyPath: string;
  /** The listener's pid, for the end. */
  readonly sshdPidPath: string;
  /** Keychains that are open from the start: a host as its operator left it. After a reboot there are none. */
  readonly unlocked: readonly { readonly path: string; readonly password: string }[];
  readonly outlivesOwner: boolean;
}

const lines = createInterface({ input: process.stdin });
const firstLine = await new Promise<string>((resolve) => lines.once('line', resolve));
const config = JSON.parse(firstLine) as HostDaemonConfig;
const launchd = new Launchd(config);
const keychains = new Keychains(config.realUsers);
for (const keychain of config.unlocked) keychains.unlock(keychain.path, keychain.password);

async function answer(request: IncomingMessage): Promise<Reply> {
  const body = await buffer(request);
  if (request.url === '/launchctl') return launchctl(launchd, readCall(body));
  if (request.url === '/security') return security(keychains, readCall(body));
  if (request.url?.startsWith('/console/')) {
    launchd.consoleUids.add(Number(request.url.slice('/console/'.length)));
    return { status: 0, stdout: '', stderr: '' };
  }
  return { status: 64, stdout: '', stderr: 'no such stand-in\n' };
}

const server = createServer((request, response) => {
  void answer(request)
    .catch((error: unknown) => ({ status: 70, stdout: '', stderr: `stand-in: ${String(error)}\n` }))
    .then((reply) => response.end(asShell(reply)));
});

rmSync(config.socket, { force: true });
server.listen(config.socket, () => {
  chmodSync(config.socket, 0o777);
  launchd.boot();
  writeFileSync(config.readyPath, String(process.pid));
});

/** The owner is gone: everything of this host goes, as by a power cut. */
async function end(): Promise<void> {
  const mark = config.environment['BED_HOST'] ?? '';
  const sshd = existsSync(config.sshdPidPath) ? treeOf([Number(readFileSync(config.sshdPidPath, 'utf8'))]) : [];
  const alive = new Set(treeOf([1, ...sshd]));
  const first = sshd.filter((pid) => alive.has(pid));
  await endAll(() => [...first.splice(0), ...markedWith(`BED_HOST=${mark}`)].filter((pid) => pid !== process.pid));
  // the temporary folder of sockets and tools; a namespace has none
  if (!config.realUsers) rmSync(dirname(config.socket), { recursive: true, force: true });
  process.exit(0);
}
process.on('SIGTERM', () => void end());
if (!config.outlivesOwner) lines.once('close', () => void end());
