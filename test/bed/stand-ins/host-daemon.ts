// The one process that plays launchd and securityd of a bed host. Started by the bed, which writes its configuration
// (it holds keychain passwords) as the first line of stdin; when stdin closes, the owner is gone, and so is the host.

import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { endAll, markedWith, nameOf, treeOf } from '../processes.ts';
import { Keychains } from './keychains.ts';
import { launchctl } from './launchctl.ts';
import { Launchd, type LaunchdOptions } from './launchd.ts';
import { asShell, type Call, fail, portPath, readCall, type Reply } from './reply.ts';
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

async function answer(tool: string, call: Call): Promise<Reply> {
  if (tool === 'launchctl') return launchctl(launchd, call);
  if (tool === 'security') return security(keychains, call);
  return fail(64, 'no such stand-in\n');
}

/** One call a connection. A client that was killed has gone without its answer; what it asked for is done all the same. */
const calls = createServer((socket) => {
  let received = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    const asked = readCall(received);
    if (asked === undefined) return;
    socket.removeAllListeners('data');
    void answer(asked.tool, asked.call)
      .catch((error: unknown) => fail(70, `stand-in: ${String(error)}\n`))
      .then((reply) => socket.end(`${asShell(reply)}\0`));
  });
});

/** The bed's own word: who has logged in at the console. */
const orders = createHttpServer((request, response) => {
  if (request.url?.startsWith('/console/')) launchd.consoleUids.add(Number(request.url.slice('/console/'.length)));
  response.end();
});

rmSync(config.socket, { force: true });
orders.listen(config.socket);
await once(orders, 'listening');
calls.listen(0, '127.0.0.1');
await once(calls, 'listening');
// renamed into place: a client of before a reboot must not read half a number
writeFileSync(`${portPath(config.socket)}.part`, `${(calls.address() as AddressInfo).port}\n`, { mode: 0o644 });
chmodSync(`${portPath(config.socket)}.part`, 0o644);
renameSync(`${portPath(config.socket)}.part`, portPath(config.socket));
launchd.boot();
writeFileSync(config.readyPath, String(process.pid));

/** The owner is gone: everything of this host goes, as by a power cut. */
async function end(): Promise<void> {
  const mark = config.environment['BED_HOST'] ?? '';
  const listener = existsSync(config.sshdPidPath) ? Number(readFileSync(config.sshdPidPath, 'utf8')) : 0;
  // one that has died may have left its pid to anybody
  const sshd = nameOf(listener).startsWith('sshd') ? treeOf([listener]) : [];
  const alive = new Set(treeOf([1, ...sshd]));
  const first = sshd.filter((pid) => alive.has(pid));
  await endAll(() => [...first.splice(0), ...markedWith(`BED_HOST=${mark}`)].filter((pid) => pid !== process.pid));
  // the temporary folder of sockets and tools; a namespace has none
  if (!config.realUsers) rmSync(dirname(config.socket), { recursive: true, force: true });
  process.exit(0);
}
process.on('SIGTERM', () => void end());
if (!config.outlivesOwner) lines.once('close', () => void end());
