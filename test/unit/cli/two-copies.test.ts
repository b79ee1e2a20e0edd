// A lane with a store and its replica, looked at without Temporal: which of them is read, what either has alone, and what
// the two say differently.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/bundle/digest.ts';
import { encodeManifest, openManifest } from '../../../src/bundle/manifest.ts';
import { manifestKey, tombstoneKey } from '../../../src/bundle/object-keys.ts';
import { encodeTombstone } from '../../../src/bundle/tombstone.ts';
import { lookAtCaptures } from '../../../src/cli/captures.ts';
import { copiesConcerns, copiesRows } from '../../../src/cli/copies-text.ts';
import { findWhereabouts } from '../../../src/cli/whereabouts.ts';
import { loadFleet } from '../../../src/config/fleet-file.ts';
import { signers } from '../../golden/keys.ts';
import { golden } from '../../golden/make.ts';
import { type FleetBed, makeFleetBed } from '../config/fleet-bed.ts';
import { type Ran, run } from './around.ts';

const goldenFolder = join(import.meta.dirname, '../../golden');
const { bundle, lane } = golden;
const manifest = manifestKey(lane, bundle);

let bed: FleetBed;
let fleet: string;
let dir: string;
let near: string;
let far: string;

beforeAll(async () => {
  bed = await makeFleetBed();
}, 60_000);
afterAll(() => bed.remove());

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'clawback-copies-'));
  [near, far] = [join(dir, 'near'), join(dir, 'far')];
  for (const store of [near, far]) cpSync(join(goldenFolder, 'v1'), store, { recursive: true });
  fleet = await bed.fleet(
    ['fleet: demo', `fleet: ${golden.fleet}`],
    ['public: keys/manifest.public.pem', `public: ${join(goldenFolder, 'keys/TEST-ONLY-manifest.pub.pem')}`],
    ['path: bundles', `path: ${near}`],
    ['stores:', `stores:\n  far: { kind: directory, path: ${far}, region: seoul, replicaOf: primary }`],
  );
  return () => rmSync(dir, { recursive: true });
});

const clawback = (...argv: string[]): Promise<Ran> => run(argv, { cwd: dir, env: { CLAWBACK_FLEET: fleet } });
const list = (): Promise<Ran> => clawback('bundles', 'list', lane);
const show = (...more: string[]): Promise<Ran> => clawback('bundles', 'show', bundle, '--lane', lane, ...more);
const open = (...more: string[]): Promise<Ran> =>
  clawback('open', bundle, '--lane', lane, '--out', 'out', '--key', keyFile, ...more);
const keyFile = join(goldenFolder, 'keys/TEST-ONLY-vault.pem');
const lose = (store: string): void => renameSync(store, `${store}.gone`);

function damage(store: string): void {
  const bytes = readFileSync(join(store, manifest));
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  put(store, manifest, bytes);
}

function put(store: string, key: string, bytes: Buffer): void {
  mkdirSync(dirname(join(store, key)), { recursive: true });
  rmSync(join(store, key), { force: true });
  writeFileSync(join(store, key), bytes);
}

/** A manifest that our key signed, of the same bundle and of other bytes. */
function resign(store: string): void {
  const bytes = readFileSync(join(store, manifest));
  const opened = openManifest(bytes, { publicKeysPem: [signers.manifest.publicKeyPem], ...golden });
  const createdAt = new Date(Date.parse(opened.manifest.createdAt) + 1000).toISOString();
  put(store, manifest, encodeManifest({ ...opened.manifest, createdAt }, signers.manifest));
}

describe('bundles list', () => {
  it('says of each bundle where it is', async () => {
    const { out, status } = await list();
    expect(out).toMatch(new RegExp(`${bundle} .* primary, far`));
    expect(status).toBe(0);
  });

  it.each([
    ['cannot be checked', (): void => damage(far), 'UNUSABLE in far: '],
    ['was signed, and is another', (): void => resign(far), 'has other bytes than that in store primary'],
  ])('names a copy whose manifest %s, with exit status 7', async (_what, spoil, words) => {
    spoil();
    const { out, status } = await list();
    expect(out).toContain(words);
    expect(status).toBe(7);
    const [{ bundles }] = (JSON.parse((await clawback('bundles', 'list', lane, '--json')).out) as Listing).lanes;
    expect(bundles[0]).toMatchObject({ bundle, stores: ['primary', 'far'], spoiled: [{ store: 'far' }] });
  });

  it('tells a bundle that expired from the store from one that is merely gone there', async () => {
    const sha256 = sha256Hex(readFileSync(join(near, manifest)));
    rmSync(join(near, manifest));
    expect((await list()).out).toMatch(new RegExp(`${bundle} .* far +no more in primary`));
    const of = { format: 1, fleet: golden.fleet, lane, bundle, manifestSha256: sha256 } as const;
    const tombstone = encodeTombstone({ ...of, tombstonedAt: '2026-11-22T04:00:00.000Z' }, signers.manifest);
    put(near, tombstoneKey(lane, bundle), tombstone);
    const { out, status } = await list();
    expect(out).toMatch(new RegExp(`${bundle} .* far +expired from primary \\(`));
    expect(status).toBe(0);
  });

  it('lists what the replica has while the store is gone, and calls nothing expired', async () => {
    lose(near);
    const { out, err, status } = await list();
    expect(out).toMatch(new RegExp(`${bundle} .* far`));
    expect(out).not.toContain('primary (');
    expect(err).toContain('store primary');
    expect(status).toBe(6);
  });
});

interface Listing {
  readonly lanes: readonly [{ readonly bundles: readonly object[] }];
}

describe('one bundle', () => {
  it('is read from the store, or from the one that is named', async () => {
    expect((await show()).out).toContain('signature good, read from primary');
    expect((await show('--store', 'far')).out).toContain('signature good, read from far');
    const { err, status } = await show('--store', 'elsewhere');
    expect(err).toContain('lane lane-1 has no bundles in store elsewhere (its stores: primary, far)');
    expect(status).toBe(2);
  });

  it('comes from the replica, which is told, when the store is gone: it opens, and is compared', async () => {
    lose(near);
    const { err, status } = await open();
    expect(err).toContain('read from its replica far, which may be behind');
    expect(status, err).toBe(0);
    const compared = await clawback('compare', bundle, '--lane', lane, '--with', 'out', '--key', keyFile);
    expect(compared.out).toContain('identical');
    expect(compared.err).toContain('read from its replica far');
  });

  it.each([
    ['lacks it', (): void => rmSync(join(near, manifest))],
    ['has a damaged manifest of it', (): void => damage(near)],
  ])('comes from the replica when the store %s', async (_what, spoil) => {
    spoil();
    const { out, err } = await show();
    expect(out).toContain('read from far');
    expect(err).toContain('read from its replica far');
    expect(err).not.toContain('may be behind');
  });

  it('is not read from a store that was named and is gone', async () => {
    lose(near);
    expect((await show('--store', 'primary')).status).not.toBe(0);
  });

  it('is refused at a replica whose manifest was tampered with, or is another', async () => {
    damage(far);
    expect((await open('--store', 'far')).status).toBe(7);
    cpSync(join(goldenFolder, 'v1', manifest), join(far, manifest));
    resign(far);
    const { err, status } = await open('--store', 'far');
    expect(err).toContain(`the manifest of bundle ${bundle} at the replica far has other bytes`);
    expect(status).toBe(7);
  });

  it('that neither has is missed in the store', async () => {
    for (const store of [near, far]) rmSync(join(store, manifest));
    const { err, status } = await show();
    expect(err).toContain(`store primary has no bundle ${bundle}`);
    expect(status).toBe(3);
  });
});

describe('the status of copies', () => {
  const later = '20261123T031500Z-1a2b3c4d';
  const nowMs = Date.parse('2026-11-23T05:15:00Z');

  it('says what either has alone, and how far the replica is behind', async () => {
    cpSync(join(near, manifest), join(near, manifestKey(lane, later)));
    const copies = await findWhereabouts(await loadFleet(fleet), lane, nowMs);
    expect(copies).toMatchObject({
      stores: [
        { store: 'primary', bundles: 2, newest: later, onlyHere: 1 },
        { store: 'far', region: 'seoul', bundles: 1, newest: bundle, onlyHere: 0 },
      ],
      lagMs: 24 * 3_600_000,
      uncopiedMs: 2 * 3_600_000,
    });
    expect(copiesRows(copies).map(([, text]) => text)).toEqual([
      expect.stringMatching(/^primary \(.*\): 2 bundles, .* 1 only here$/),
      expect.stringMatching(/^far \(seoul\): 1 bundle, .* 1 d behind$/),
    ]);
    expect(copiesConcerns(lane, copies)).toEqual([expect.stringContaining(`./clawback replicate ${lane}`)]);
  });

  it('is no concern where both have the same, or the copy of the newest may be under way', async () => {
    const file = await loadFleet(fleet);
    expect(copiesConcerns(lane, await findWhereabouts(file, lane, nowMs))).toEqual([]);
    cpSync(join(near, manifest), join(near, manifestKey(lane, later)));
    expect(copiesConcerns(lane, await findWhereabouts(file, lane, nowMs - 2 * 3_600_000 + 60_000))).toEqual([]);
  });

  it('of a store that is gone comes from the replica, and says so', async () => {
    lose(near);
    const file = await loadFleet(fleet);
    const captures = await lookAtCaptures(file, lane, nowMs);
    expect(captures).toMatchObject({
      seen: { class1: { bundle }, instead: { replica: 'far', why: expect.stringContaining('primary') } },
    });
    const copies = await findWhereabouts(file, lane, nowMs);
    expect(copies).toMatchObject({
      stores: [{ store: 'primary', code: expect.stringContaining('Store') }, { onlyHere: null }],
      lagMs: null,
    });
    expect(copiesConcerns(lane, copies)).toEqual([expect.stringContaining('primary')]);
  });
});
