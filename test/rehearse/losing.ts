// What rehearsals of losses share: a provider that powers lost hosts off when the fence hook asks it to, and lanes on the
// hosts that took them over.

import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { BedLane } from '../bed/bed.ts';
import type { Rig } from '../rig/rig.ts';

export interface Fence {
  /** For `hooks.fence` of the fleet file. */
  readonly hook: object;
  readonly stop: () => Promise<void>;
}

/** It really does it: a lost host that runs on is powered off before anything starts elsewhere. */
export async function startFence({ bed }: Rig): Promise<Fence> {
  const server = createServer((request, response) => {
    void json(request)
      .then(async (asked) => bed.host((asked as { host: string }).host).kill())
      .then(
        () => response.end(JSON.stringify({ fenced: 'power-off' })),
        () => response.writeHead(500).end(),
      );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
  };
  return { hook: { http: { url: `http://127.0.0.1:${port}/fence` } }, stop };
}

/** The lane as it is on another host of the bed. */
export function laneOn({ bed }: Pick<Rig, 'bed'>, lane: BedLane, host: string): BedLane {
  return { ...lane, host, realHome: join(bed.host(host).realRoot, 'Users', lane.user) };
}

/** Numbers of accounts differ from host to host: for lines of `pictureDifferences`. */
export function withoutOwners(line: string): boolean {
  return !/" (?:uid|gid): /.test(line);
}
