// The bad day: the gateway is killed, its trees and its Keychain items are gone.

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed, BedLane } from '../bed/bed.ts';
import { profileOf } from '../../src/domain/profile.ts';
import { Client } from 'ssh2';

/** Runs a command on the lane's host as the login user. @returns exit status and output */
export async function onHost(bed: Bed, hostName: string, command: string): Promise<{ status: number; output: string }> {
  const host = bed.host(hostName);
  const client = new Client();
  await new Promise<void>((resolve, reject) => {
    client
      .once('ready', resolve)
      .once('error', reject)
      .connect({ host: host.address, port: host.port, username: host.user, privateKey: bed.sshKey });
  });
  try {
    return await new Promise((resolve, reject) => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        let output = '';
        channel.on('data', (chunk: Buffer) => (output += chunk.toString()));
        channel.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
        channel.on('close', (status: number | null) => resolve({ status: status ?? -1, output }));
      });
    });
  } finally {
    client.end();
  }
}

export async function wreckLane(bed: Bed, lane: BedLane): Promise<void> {
  killGateway(lane);
  for (const root of profileOf(lane.profile)?.roots ?? [])
    rmSync(join(lane.realHome, root), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  const { tools } = bed.host(lane.host);
  const sudo = tools['sudo'] ?? '/usr/bin/sudo';
  const security = tools['security'] ?? '/usr/bin/security';
  for (const item of lane.secrets) {
    await onHost(
      bed,
      lane.host,
      `${sudo} -n -H -u ${lane.user} ${security} delete-generic-password -s ${item.service} -a ${item.account} ${lane.keychain}`,
    );
  }
}

/** kill -9 of the gateway's process; launchd will start it again, into the ruins. */
export function killGateway(lane: BedLane): void {
  const pids = gatewayPids(lane);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

/** By its port on the command line, as this machine sees it: no two gateways share one. */
export function gatewayPids(lane: BedLane): number[] {
  const listing = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' });
  return listing
    .split('\n')
    .filter((line) => new RegExp(`gateway run --port ${lane.port}$`).test(line.trimEnd()))
    .map((line) => Number(line.trim().split(' ')[0]));
}
