// A host that is lost under fault: its lane comes back on the standby or stays where it was, and when the host answers
// again one gateway of the lane runs, not two.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMoved } from '../../src/client/moved.ts';
import type { MovedState } from '../../src/contract/placement.ts';
import type { BedLane } from '../bed/bed.ts';
import { gatewayPids } from '../rig/wreck.ts';
import { incident } from './incidents.ts';
import type { FaultRig } from './fault-rig.ts';
import { readItems } from './lane-look.ts';
import type { Running, Stage } from './stage.ts';

/** The lost host's gateways are stopped so soon after it answers again (design, "What a restore promises"). */
const stoppedMs = 60_000;

/** Each host that is lost in a rig has a standby of its own, for one is enough for one host. */
export function standbyOf(host: string): string {
  return `${host}-spare`;
}

export function planOfLoss({ rig, lane: { host } }: Stage): Promise<Running> {
  return incident(rig, openingOf(host, true));
}

function openingOf(host: string, dryRun: boolean) {
  return { scenario: 'host-loss', subject: host, input: { host, standby: standbyOf(host) }, dryRun } as const;
}

export async function hostLoss({ rig, lane }: Stage): Promise<Running> {
  const { host } = lane;
  await rig.rig.bed.host(host).kill();
  const started = await incident(rig, openingOf(host, false));
  let moved: MovedState | undefined;
  const outcome = async (): Promise<string> => {
    const ended = await started.outcome();
    await rig.rig.bed.host(host).boot();
    // unlocked by whoever starts it again: nothing but the keeper holds its gateway back
    await readItems(rig.rig.bed, lane);
    moved = await guarded(rig, host);
    return ended;
  };
  const isThere = (): boolean => moved?.lanes.includes(lane.lane) === true;
  return {
    ...started,
    outcome,
    lane: () => (isThere() ? laneOn(rig, lane, standbyOf(host)) : lane),
    broken: async () => [
      ...(isThere() && moved?.lost !== 'stopped' ? [`the lost host's gateway is not stopped: ${moved?.lost}`] : []),
      ...(await oneGateway(lane)),
    ],
  };
}

/** What the keeper says once it has seen the host come back; undefined where nothing was moved. */
async function guarded(rig: FaultRig, host: string): Promise<MovedState | undefined> {
  const untilMs = Date.now() + stoppedMs;
  for (;;) {
    const moved = await readMoved(rig.rig.client, 'bed', host).catch(() => undefined);
    if (moved === undefined || moved.lost !== 'silent' || moved.lanes.length === 0) return moved;
    if (Date.now() > untilMs) return moved;
    await sleep(500);
  }
}

/** The port is one for both hosts of the bed, so that two show as two processes. */
async function oneGateway(lane: BedLane): Promise<string[]> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (gatewayPids(lane).length === 1) return [];
    await sleep(200);
  }
  return [`${gatewayPids(lane).length} gateways of ${lane.lane} run`];
}

/** The lane as it is on another host of the bed. */
function laneOn({ rig: { bed } }: FaultRig, lane: BedLane, name: string): BedLane {
  const [from, to] = [bed.host(lane.host), bed.host(name)];
  const moved = (path: string): string => (from.root === '/' ? path : join(to.root, path.slice(from.root.length)));
  return {
    ...lane,
    host: name,
    home: moved(lane.home),
    realHome: join(to.realRoot, 'Users', lane.user),
    plist: moved(lane.plist),
    keychain: moved(lane.keychain),
  };
}
