// A second copy in another region, the day the first is gone, and what is read again: one rig for both.

import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startReplicate, startVerify } from '../../src/client/start.ts';
import { indexKey, segmentKey } from '../../src/bundle/object-keys.ts';
import type { ManifestSegment } from '../../src/bundle/manifest.ts';
import { markDirectory } from '../../src/store/directory-marker.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import type { Rig } from '../rig/rig.ts';
import { wreckLane } from '../rig/wreck.ts';
import { readManifest } from './forge.ts';
import { backUp, editFleet, restore, startRig, stopRig } from './kit.ts';

let rig: Rig;
let lane: BedLane;
let far: string;

beforeAll(async () => {
  rig = await startRig({
    kind: bestBedKind(),
    hosts: [{ name: 'mac-1', lanes: 1 }],
    dataBytes: 6e6,
    store: 'directory',
  });
  [lane] = rig.bed.lanes as [BedLane];
  far = join(rig.dir, 'far');
  await markDirectory('far', far);
  editFleet(rig, (fleet) => {
    fleet.stores['far'] = { kind: 'directory', path: far, region: 'far', replicaOf: 'primary' };
    fleet.limits = { segment: '1MiB' };
  });
  await rig.startWorker();
});

afterAll(() => stopRig(rig));

/** Bundles' objects by their bytes: what a copy must have too. */
function objectsIn(store: string): Record<string, string> {
  const folders = ['manifests', 'segments', 'indexes'].map((folder) => join(store, lane.lane, folder));
  const files = folders.filter(existsSync).flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  return Object.fromEntries(files.map((path) => [path.slice(store.length), readFileSync(path).toString('base64')]));
}

function pathsOf({ fingerprint, suffix, index }: ManifestSegment): { segment: string; index: string } {
  return {
    segment: join(rig.storePath, segmentKey(lane.lane, fingerprint, suffix)),
    index: join(rig.storePath, indexKey(lane.lane, fingerprint, index.suffix)),
  };
}

async function replicate(bundle?: string) {
  return (await startReplicate(rig.client, { lane: lane.lane, bundle })).result();
}

async function verify(input: { bundle?: string; store?: string; sample?: 'all' } = {}) {
  return (await startVerify(rig.client, { lane: lane.lane, sample: 'all', ...input })).result();
}

describe('a replica', () => {
  it('has what a backup wrote, object by object', async () => {
    const { replica, warnings } = await backUp(rig, lane);
    expect({ replica, warnings }).toEqual({ replica: 'far', warnings: [] });
    expect(objectsIn(far)).toEqual(objectsIn(rig.storePath));
  });

  it('becomes whole although the worker that copies is killed in the middle', async () => {
    rmSync(join(far, lane.lane), { recursive: true });
    const running = await startReplicate(rig.client, { lane: lane.lane });
    const segments = join(far, lane.lane, 'segments');
    while (!existsSync(segments) || readdirSync(segments).length === 0) await sleep(5);
    for (const worker of rig.workers) worker.kill();
    expect(existsSync(join(far, lane.lane, 'manifests'))).toBe(false);
    await rig.startWorker();
    expect((await running.result()).failed).toEqual([]);
    expect(objectsIn(far)).toEqual(objectsIn(rig.storePath));
    expect(await replicate()).toMatchObject({ bundles: [], failed: [] });
  });

  it('restores the lane when the store is gone, and is named', async () => {
    const before = pictureOf(lane);
    renameSync(rig.storePath, `${rig.storePath}.gone`);
    try {
      await wreckLane(rig.bed, lane);
      const result = await restore(rig, lane);
      expect(result.messageAnswered).toBe(true);
      expect(result.plan?.store).toBe('far');
      expect(result.stores.map(({ store }) => store)).toEqual(['far']);
      expect(result.warnings).toContainEqual(expect.stringContaining('store primary does not answer'));
      expect(pictureDifferences(before, pictureOf(lane))).toEqual([]);
    } finally {
      renameSync(`${rig.storePath}.gone`, rig.storePath);
    }
  });
});

describe('a verification', () => {
  it('finds a whole bundle whole, in either store, databases and all', async () => {
    const { faults, gaps, databases, live, coverage, opened, segments } = await verify();
    expect({ faults, gaps }).toEqual({ faults: [], gaps: [] });
    expect(databases.checked).toBeGreaterThan(0);
    expect(live).toMatchObject({ state: 'compared', different: 0 });
    expect(live.compared).toBeGreaterThan(0);
    expect(opened).toBe(segments);
    expect(coverage.opened).toBe(coverage.segments);
    expect((await verify({ store: 'far' })).faults).toEqual([]);
  });

  it('names what is gone and what is damaged; the next backup sends both again, and verifies', async () => {
    // the replica's copies stay good: a restore of the damaged bundle would take those
    const { bundle } = await backUp(rig, lane);
    const reusable = readManifest(rig, lane.lane, bundle).segments.filter((segment) => segment.reusable);
    const [gone, damaged] = reusable as [ManifestSegment, ManifestSegment];
    rmSync(pathsOf(gone).segment);
    const bytes = readFileSync(pathsOf(damaged).segment);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(pathsOf(damaged).segment, bytes);

    const { faults } = await verify();
    const told = faults.map(({ segment, what }) => `${segment} ${what}`).toSorted();
    expect(told).toEqual([`${gone.id} missing`, `${damaged.id} damaged`].toSorted());
    const healed = await backUp(rig, lane);
    const segments = readManifest(rig, lane.lane, healed.bundle).segments;
    for (const { fingerprint, suffix } of [gone, damaged]) {
      const again = segments.find((segment) => segment.fingerprint === fingerprint);
      expect(again).toBeDefined();
      expect(again?.suffix).not.toBe(suffix);
    }
    expect((await verify({ bundle: healed.bundle })).faults).toEqual([]);
    expect(healed.replica).toBe('far');
  });
});
