// A rig with a lane of a size on each of its hosts, and workers as operators run them: the current user's sshd, no
// namespaces, for the bench needs nobody's root.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { QueueRole } from '../../src/contract/names.ts';
import { TcpProxy } from '../bed/tcp-proxy.ts';
import { Rig, type RigOptions } from '../rig/rig.ts';

/** As `clawback worker --processes N` starts them: one process for short steps, N for streams. */
const shortSteps: readonly QueueRole[] = ['host', 'vault'];
const streams: readonly QueueRole[] = ['data', 'vaultData'];

export interface BenchRig {
  /** Of each lane. */
  readonly bytes: number;
  readonly store: NonNullable<RigOptions['store']>;
  /** Default 1. */
  readonly hosts?: number;
  /** Each host stands behind a link of its own, this wide each way; default: none. */
  readonly linkBytesPerSecond?: number;
  /** For streams; default 1. */
  readonly processes?: number;
}

export async function withRig<T>(bench: BenchRig, work: (rig: Rig, dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-bench-'));
  try {
    const hosts = Array.from({ length: bench.hosts ?? 1 }, (_, at) => ({ name: `mac-${at + 1}`, lanes: 1 }));
    const rig = await Rig.start({ dir, kind: 'sshd', hosts, dataBytes: bench.bytes, store: bench.store });
    const links: TcpProxy[] = [];
    try {
      if (bench.linkBytesPerSecond !== undefined) links.push(...(await linksOf(rig, bench.linkBytesPerSecond)));
      await rig.startWorker(shortSteps);
      for (let count = 0; count < (bench.processes ?? 1); count += 1) await rig.startWorker(streams);
      return await work(rig, dir);
    } finally {
      await rig.stop();
      for (const link of links) await link.close();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A proxy before each host, whose address takes the host's place in the fleet file. */
async function linksOf({ bed, fleetPath }: Rig, bytesPerSecond: number): Promise<TcpProxy[]> {
  const fleet = parse(readFileSync(fleetPath, 'utf8')) as { hosts: Record<string, Record<string, unknown>> };
  const links = await Promise.all(
    bed.hosts.map(async ({ name, address, port }) => {
      const link = await TcpProxy.start({ host: address, port });
      link.set({ bytesPerSecond });
      Object.assign(fleet.hosts[name] ?? {}, { address: '127.0.0.1', port: link.port });
      return link;
    }),
  );
  writeFileSync(fleetPath, stringify(fleet, { lineWidth: 0 }));
  return links;
}
