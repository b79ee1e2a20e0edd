// Backups beside writers that do not rest, and the second backup, which sends only what changed.

import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startExpiry, startSweep } from '../../src/client/start.ts';
import type { StoreExpiry } from '../../src/contract/expiry.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { eventually, health, say } from '../bed/bed-shell.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import type { Rig } from '../rig/rig.ts';
import { killGateway, wreckLane } from '../rig/wreck.ts';
import { ageTombstone, readManifest } from './forge.ts';
import { backUp, editFleet, failureOf, leftOn, overwrite, restore, startRig, stopRig, storeListing } from './kit.ts';

let rig: Rig;
let busy: BedLane;
let restless: BedLane;
let calm: BedLane;

beforeAll(async () => {
  rig = await startRig({ kind: bestBedKind(), hosts: [{ name: 'mac-1', lanes: 3 }], dataBytes: 4e6, chatterMs: 20 });
  editFleet(rig, (fleet) => {
    fleet.limits = { segment: '1MiB' };
    fleet.retention = { daily: 1, weekly: 0, monthly: 0, grace: '2d' };
  });
  [busy, restless, calm] = rig.bed.lanes as [BedLane, BedLane, BedLane];
  // the calm lane's gateway is as the others', but says nothing by itself
  const config = join(calm.realHome, '.openclaw/config/openclaw.json');
  overwrite(config, readFileSync(config, 'utf8').replace('"chatterMs": 20', '"chatterMs": 0'));
  killGateway(calm);
  for (const lane of [busy, restless])
    for (const name of ['rewritten', 'truncated', 'replaced', 'growing.log']) put(lane, name, version(0));
  await rig.startWorker();
});

afterAll(() => stopRig(rig));

const fileBytes = 700_000;

/** A file's content in one of its versions: all of one letter, so that a mixture of two is seen. */
function version(number: number): string {
  return String.fromCharCode(97 + (number % 26)).repeat(fileBytes);
}

function put(lane: BedLane, name: string, content: string): void {
  const path = join(lane.realHome, 'workspace', name);
  if (existsSync(path)) return overwrite(path, content);
  // a new file would be root's: a copy of one of the lane's own is made by renaming
  const own = join(lane.realHome, 'workspace/project/src', `${name}.own`);
  writeFileSync(own, content, { mode: 0o644 });
  renameSync(own, path);
}

/** Resolves when a run copies its databases: everything has been listed, no file has been read. */
async function listed(lane: BedLane): Promise<void> {
  const run = join(lane.realHome, '.clawback/run');
  await eventually(
    async () => existsSync(run) && readdirSync(run).some((name) => existsSync(join(run, name, 'copies'))),
    60_000,
  );
}

describe('a backup beside writers', () => {
  it('takes again what changed, ends lines whole, and holds every turn that was there when it began', async () => {
    const turn = `remember ${crypto.randomUUID()}`;
    expect((await say(rig.bed, busy.lane, turn)).status).toBe(200);
    const chatter = join(busy.realHome, '.openclaw/transcripts/agent_main_chatter.jsonl');
    const linesBefore = readFileSync(chatter, 'utf8').split('\n').slice(0, -1);
    const turnsBefore = pictureOf(busy).turns;

    const backup = backUp(rig, busy);
    await listed(busy);
    put(busy, 'rewritten', version(1));
    put(busy, 'truncated', version(1).slice(0, 1000));
    put(busy, 'replaced', version(2));
    const { bundle, suspect } = await backup;
    expect(suspect).toEqual([]);
    const supplements = readManifest(rig, busy.lane, bundle).segments.filter(({ supplement }) => supplement);
    expect(new Set(supplements.map(({ component, kind }) => `${component} ${kind}`))).toEqual(
      new Set(['transcripts range', 'workspace tar']),
    );

    await wreckLane(rig.bed, busy);
    expect((await restore(rig, busy, { bundle })).messageAnswered).toBe(true);
    const content = (name: string): string => readFileSync(join(busy.realHome, 'workspace', name), 'utf8');
    expect(content('rewritten') === version(1)).toBe(true);
    expect(content('truncated') === version(1).slice(0, 1000)).toBe(true);
    expect(content('replaced') === version(2)).toBe(true);

    const restored = readFileSync(chatter, 'utf8').split('\n').slice(0, -1);
    expect(restored.slice(0, linesBefore.length)).toEqual(linesBefore);
    for (const line of restored) expect(() => JSON.parse(line)).not.toThrow();
    const turns = pictureOf(busy).turns;
    expect(turnsBefore.filter((row) => !turns.includes(row))).toEqual([]);
    expect(turns.some((row) => row.includes(turn))).toBe(true);
    expect(integrityOf(busy)).toBe('ok');
  });

  it('fails by name when a file never holds still, and leaves nothing after a sweep', async () => {
    const before = storeListing(rig);
    const stop = new AbortController();
    const writing = (async () => {
      for (let number = 0; !stop.signal.aborted; number += 1) {
        put(restless, 'rewritten', version(number));
        await sleep(30);
      }
    })();
    const failure = await failureOf(backUp(rig, restless));
    stop.abort();
    await writing;
    expect(failure.code).toBe('FileNeverStill');
    expect(leftOn(restless)).toEqual([]);
    const swept = await (await startSweep(rig.client, { lane: restless.lane, minAgeMs: 0 })).result();
    expect(swept.removedObjects).toBeGreaterThan(0);
    expect(storeListing(rig)).toEqual(before);
  });
});

function integrityOf({ realHome }: BedLane): unknown {
  const database = new DatabaseSync(join(realHome, '.openclaw/transcripts/sessions.sqlite'), { readOnly: true });
  try {
    return (database.prepare('PRAGMA integrity_check').get() as { integrity_check: string }).integrity_check;
  } finally {
    database.close();
  }
}

describe('a second backup', () => {
  it('sends what changed and refers to the rest, and is restored as a whole', async () => {
    await eventually(async () => (await health(rig.bed, calm.lane)) === 200);
    await sleep(2_500); // a member younger than two seconds is not reused
    const first = await backUp(rig, calm);
    expect(first.reusedSegments).toBe(0);
    await backUp(rig, calm, { tier: 'A' }); // class 2 is found behind it, in the manifest before
    const second = await backUp(rig, calm);
    const [one, other] = [first, second].map(({ bundle }) => readManifest(rig, calm.lane, bundle).segments);
    const fresh = (other ?? []).filter(({ suffix }) => !one?.some((segment) => segment.suffix === suffix));
    // databases and secrets are always taken anew, and the gateway's own log and session
    expect(second.reusedSegments).toBe(second.segments - fresh.length);
    expect(
      fresh.filter(({ component, base }) => component === 'workspace' || (component === 'config' && base === 'home')),
    ).toEqual([]);
    expect(second.sealedBytes).toBeLessThan(first.sealedBytes / 2);

    const pack = readdirSync(join(calm.realHome, 'workspace/project/src'), {
      recursive: true,
      withFileTypes: true,
    }).find((entry) => entry.isFile() && entry.name.endsWith('-3.ts'));
    if (!pack) throw new Error('no source file');
    overwrite(join(pack.parentPath, pack.name), '// changed\n');
    await sleep(2_500);
    const third = await backUp(rig, calm);
    const workspace = readManifest(rig, calm.lane, third.bundle).segments.filter(
      ({ component }) => component === 'workspace',
    );
    const sent = workspace.filter(({ suffix }) => !other?.some((segment) => segment.suffix === suffix));
    expect(sent).toHaveLength(1);

    const before = pictureOf(calm);
    await wreckLane(rig.bed, calm);
    await restore(rig, calm);
    expect(pictureDifferences(before, pictureOf(calm))).toEqual([]);
    expect(statSync(join(pack.parentPath, pack.name)).size).toBe(11);
  });
});

describe('expiry', () => {
  const expire = async (dryRun = false): Promise<StoreExpiry> => {
    const { stores } = await (await startExpiry(rig.client, { lane: calm.lane, dryRun, waitMs: 0 })).result();
    return stores[0] as StoreExpiry;
  };

  it('gives up what is not kept, removes it a grace later, and what is left is restored', async () => {
    const before = storeListing(rig);
    const { bundles, standsStill } = await expire(true);
    expect(standsStill).toBeNull();
    expect(storeListing(rig)).toEqual(before);
    const given = bundles.filter(({ state }) => state === 'expires').map(({ bundle }) => bundle);
    expect(given.length).toBeGreaterThan(0);

    expect(await expire()).toMatchObject({ buried: given.length, removedBundles: [] });
    const [oldest = ''] = given.toReversed();
    await ageTombstone(rig, calm.lane, oldest, 3);
    const removal = await expire();
    expect(removal).toMatchObject({ removedBundles: [oldest], buried: 0 });
    expect(removal.removedObjects).toBeGreaterThan(0);

    expect((await restore(rig, calm, { into: 'sandbox' })).into).toBe('sandbox');
  });
});
