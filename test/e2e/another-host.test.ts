// A lane that comes back on another host: its account is there, and nothing else of it.

import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profileOf } from '../../src/domain/profile.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { pictureDifferences, pictureOf, type LanePicture } from '../rig/lane-picture.ts';
import type { Rig } from '../rig/rig.ts';
import {
  asLane,
  backUp,
  editFleet,
  failureOf,
  itemsOf,
  overwrite,
  realPlist,
  restore,
  startRig,
  stopRig,
} from './kit.ts';

let rig: Rig;
let lane: BedLane;
/** The same lane on its new host. */
let moved: BedLane;
let good: string;
let broken: string;
let before: LanePicture;
let items: Record<string, string>;

beforeAll(async () => {
  const hosts = [
    { name: 'mac-1', lanes: 1 },
    { name: 'mac-2', lanes: 0, guests: [1] },
  ];
  rig = await startRig({ kind: bestBedKind(), hosts, dataBytes: 1e6 });
  [lane] = rig.bed.lanes as [BedLane];
  const { root, realRoot } = rig.bed.host('mac-2');
  const below = (path: string): string => (root === '/' ? path : path.replace(rig.bed.host('mac-1').root, root));
  moved = {
    ...lane,
    host: 'mac-2',
    home: below(lane.home),
    realHome: join(realRoot, 'Users', lane.user),
    plist: below(lane.plist),
    keychain: below(lane.keychain),
  };
  const worker = await rig.startWorker();
  ({ bundle: good } = await backUp(rig, lane));
  before = pictureOf(lane);
  items = await itemsOf(rig, lane);
  overwrite(join(lane.realHome, '.openclaw/config/openclaw.json'), '{');
  ({ bundle: broken } = await backUp(rig, lane, { tier: 'A' }));
  await worker.stop();
  editFleet(rig, (fleet) => void ((fleet.lanes[lane.lane] ?? {})['host'] = 'mac-2'));
  await rig.startWorker();
});

afterAll(() => stopRig(rig));

/** What of the lane is on its new host; its own folder and empty ones of the Mac apart. */
async function foundThere(): Promise<string[]> {
  const { stdout } = await asLane(
    rig,
    moved,
    `${rig.bed.host('mac-2').tools['launchctl'] ?? '/bin/launchctl'} print system/${lane.label}`,
  );
  const names = readdirSync(moved.realHome).filter((name) => !['.clawback', '.ssh', 'Library'].includes(name));
  const files = [realPlist(rig, moved), join(moved.realHome, 'Library/Keychains/openclaw.keychain-db')];
  return [...names, ...files.filter((path) => existsSync(path)), ...(stdout.includes('state =') ? ['job'] : [])];
}

// one day, in its order: what fails is not tried again
describe('a lane on another host', { retry: 0 }, () => {
  it('is refused while its gateway runs on the old one, and its plan says from where to where', async () => {
    expect(await foundThere()).toEqual([]);
    expect((await failureOf(restore(rig, moved, { bundle: good }))).code).toBe('HostNotFenced');
    await rig.bed.host('mac-1').kill();
    const { plan } = await restore(rig, moved, { bundle: good, dryRun: true });
    expect(plan).toMatchObject({ host: 'mac-2', fromHost: 'mac-1' });
    expect(plan?.warnings.join('\n')).toMatch(
      /from host mac-1 to mac-2[^]*host mac-1 does not answer[^]*has no keychain/,
    );
    expect(await foundThere()).toEqual([]);
  });

  it('is refused when the keychain there has another password', async () => {
    const security = rig.bed.host('mac-2').tools['security'] ?? '/usr/bin/security';
    await asLane(
      rig,
      moved,
      `mkdir -p ~/Library/Keychains; ${security} -i`,
      `create-keychain -p other ${moved.keychain}\n`,
    );
    expect((await failureOf(restore(rig, moved, { bundle: good }))).code).toBe('KeychainPasswordWrong');
    rmSync(join(moved.realHome, 'Library'), { recursive: true });
    expect(await foundThere()).toEqual([]);
  });

  it('leaves nothing there when its gateway does not start', async () => {
    expect((await failureOf(restore(rig, moved, { bundle: broken }))).code).toBe('GatewayWouldNotStart');
    expect(await foundThere()).toEqual([]);
  });

  it('comes back whole: trees, secrets in a keychain of its own, a daemon that runs as its user; and answers', async () => {
    const result = await restore(rig, moved, { bundle: good });
    expect(result).toMatchObject({ messageAnswered: true, host: 'mac-2' });
    const owned = /" (?:uid|gid): /;
    expect(pictureDifferences(before, pictureOf(moved)).filter((line) => !owned.test(line))).toEqual([]);
    expect(await itemsOf(rig, moved)).toEqual(items);
    const plist = realPlist(rig, moved);
    expect(readFileSync(plist, 'utf8')).toContain(`<key>UserName</key>\n    <string>${lane.user}</string>`);
    if (rig.bed.kind === 'namespaces') expect(statSync(plist).uid).toBe(0);
  });

  it('goes away again by undo, with nothing to go back to', async () => {
    const result = await restore(rig, moved, { undo: true });
    expect(result).toMatchObject({ into: 'undo', messageAnswered: false });
    const roots = profileOf(lane.profile)?.roots ?? [];
    expect(
      (await foundThere()).filter((name) => roots.includes(name) || name === 'job' || name.endsWith('.plist')),
    ).toEqual([]);
  });
});
