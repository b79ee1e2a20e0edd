// What rehearsals of losses share: a provider that powers lost hosts off when the fence hook asks it to, and lanes on the
// hosts that took them over.

import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { startBackup } from '../../src/client/start.ts';
import type { BedLane } from '../bed/bed.ts';
import { type LanePicture, pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
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

/** Of each rig, how its lane was when it was backed up. */
const good = new WeakMap<Rig, LanePicture>();

/** The one lane that is lost. */
export function laneOf({ bed }: Rig): BedLane {
  return bed.lanes[0] as BedLane;
}

/** A backup, and how the lane was. */
export async function goodDay(rig: Rig): Promise<void> {
  const lane = laneOf(rig);
  await (await startBackup(rig.client, { lane: lane.lane, tier: 'B', waitMs: 0 })).result();
  good.set(rig, pictureOf(lane));
}

/** What differs from the good day on the host that took over, a line each. */
export function changedSince(rig: Rig, moved: BedLane): string[] {
  const before = good.get(rig);
  return before ? pictureDifferences(before, pictureOf(moved)).filter(withoutOwners) : ['nothing was saved'];
}

/** The lane as it is on another host of the bed. */
export function laneOn({ bed }: Pick<Rig, 'bed'>, lane: BedLane, host: string): BedLane {
  return { ...lane, host, realHome: join(bed.host(host).realRoot, 'Users', lane.user) };
}

/** Numbers of accounts differ from host to host: for lines of `pictureDifferences`. */
export function withoutOwners(line: string): boolean {
  return !/" (?:uid|gid): /.test(line);
}
