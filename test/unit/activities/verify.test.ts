// Verifying the golden bundle in a real store: what is wrong is named, what is read is kept, what is bad is not used again.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findReusableStep } from '../../../src/activities/backup/find-reusable.ts';
import { checkDatabase } from '../../../src/activities/verify/verify-databases.ts';
import { comparableOf } from '../../../src/activities/verify/comparable.ts';
import { planVerificationStep } from '../../../src/activities/verify/plan-verification.ts';
import { recordVerificationStep } from '../../../src/activities/verify/record-verification.ts';
import { newestRecord } from '../../../src/activities/verify/records.ts';
import { dueSegments } from '../../../src/activities/verify/sample.ts';
import { verifySegmentsStep } from '../../../src/activities/verify/verify-segments.ts';
import { manifestKey } from '../../../src/bundle/object-keys.ts';
import { bundleIdOf } from '../../../src/domain/terms.ts';
import { openingKeys } from '../../golden/keys.ts';
import { golden } from '../../golden/make.ts';
import { GoldenStores, runStep } from './golden-stores.ts';

const day = 24 * 3600 * 1000;
const place = { fleet: golden.fleet, lane: golden.lane, store: 'primary' };
const signal = new AbortController().signal;

let stores: GoldenStores;
beforeEach(() => {
  stores = new GoldenStores();
});
afterEach(() => stores.remove());

const ids = () => stores.manifest.segments.map(({ id }) => id);
const plan = (sample: 'due' | 'all' | 'none' = 'all') =>
  runStep(planVerificationStep(stores.deps), { ...place, sample, withinMs: 30 * day });
const verify = (segments: readonly string[], open: readonly string[] = segments) =>
  runStep(verifySegmentsStep(stores.deps), { ...place, bundle: golden.bundle, segments, open });
const keep = (findings: {
  opened?: readonly string[];
  compared?: readonly string[];
  bad?: readonly string[];
  run?: string;
}) =>
  runStep(recordVerificationStep(stores.deps), {
    ...place,
    withinMs: 30 * day,
    run: findings.run ?? '20261123T031500Z-00000001',
    opened: [{ bundle: golden.bundle, segments: findings.opened ?? [] }],
    compared: [{ bundle: golden.bundle, segments: findings.compared ?? [] }],
    bad: (findings.bad ?? []).map((segment) => ({ bundle: golden.bundle, segment })),
  });

describe('a verification', () => {
  it('reads every segment once, opens each, and finds nothing wrong with a whole bundle', async () => {
    const { batches, faults, gaps, newest } = await plan();
    expect({ faults, gaps, newest }).toEqual({ faults: [], gaps: [], newest: golden.bundle });
    expect(batches.flatMap(({ segments }) => segments)).toEqual(ids());
    expect(batches.flatMap(({ open }) => open)).toEqual(ids());
    const result = await verify(ids());
    expect(result.faults).toEqual([]);
    expect(result.members).toBeGreaterThan(ids().length);
  });

  it('names what is gone and what has another size from the listing alone, and reads the rest', async () => {
    rmSync(stores.path('primary', stores.key('s-0001')));
    stores.damage('primary', stores.key('s-0002', 'index'), (bytes) => bytes.subarray(1));
    const { faults, batches } = await plan();
    expect(faults.map(({ segment, object, what }) => [segment, object, what])).toEqual([
      ['s-0001', 'segment', 'missing'],
      ['s-0002', 'index', 'damaged'],
    ]);
    expect(batches.flatMap(({ segments }) => segments)).toEqual(ids().slice(2));
  });

  it.each([
    ['opened', true],
    ['only read', false],
  ])('finds one flipped bit in a segment that is %s, and in an index', async (_how, isOpened) => {
    stores.damage('primary', stores.key('s-0001'), flipOne);
    stores.damage('primary', stores.key('s-0003', 'index'), flipOne);
    const { faults } = await verify(ids(), isOpened ? ids() : []);
    expect(faults.map(({ segment, object, what }) => [segment, object, what])).toEqual([
      ['s-0001', 'segment', 'damaged'],
      ['s-0003', 'index', 'damaged'],
    ]);
  });

  it('names a manifest that fails its check', async () => {
    stores.damage('primary', manifestKey(golden.lane, golden.bundle), flipOne);
    expect(await plan()).toMatchObject({
      newest: null,
      batches: [],
      faults: [{ bundle: golden.bundle, object: 'manifest', what: 'damaged' }],
    });
  });

  it('calls whole what is not sealed to its key unopenable, not damaged', async () => {
    const deps = { ...stores.deps, keys: { ...stores.deps.keys, opening: async () => openingKeys.stranger } };
    const step = verifySegmentsStep(deps);
    const { faults } = await runStep(step, { ...place, bundle: golden.bundle, segments: ['s-0001'], open: ['s-0001'] });
    expect(faults).toEqual([expect.objectContaining({ segment: 's-0001', what: 'unopenable' })]);
  });

  it('is tried again when the store falls silent', async () => {
    stores.lose('primary');
    await expect(verify(ids())).rejects.toMatchObject({ type: 'StoreUnreachable', nonRetryable: false });
    await expect(plan()).rejects.toMatchObject({ type: 'StoreUnreachable', nonRetryable: false });
  });

  it('opens the rest of the rotation next time, and says how far it is', async () => {
    const first = await plan('due');
    const open = first.batches.flatMap((batch) => batch.open);
    expect(open.length).toBeGreaterThan(0);
    expect(open.length).toBeLessThan(ids().length);
    expect(await keep({ opened: open })).toMatchObject({
      segments: ids().length,
      opened: open.length,
      oldestOpenedAt: null,
    });
    const next = (await plan('due')).batches.flatMap((batch) => batch.open);
    expect(next.filter((id) => open.includes(id))).toEqual([]);
  });
});

describe('the comparison with the lane', () => {
  const inHome = () => stores.manifest.segments.filter(({ base, kind }) => base === 'home' && kind !== 'secrets');

  it('takes turns too: what was compared waits until the rest has been', async () => {
    const named = (await plan('all')).compare.flatMap(({ segments }) => segments);
    expect(named).toEqual(inHome().map(({ id }) => id));
    const first = (await plan('due')).compare.flatMap(({ segments }) => segments);
    expect(first.length).toBeGreaterThan(0);
    expect(first.length).toBeLessThan(named.length);
    expect(await keep({ compared: first })).toMatchObject({
      comparable: named.length,
      compared: first.length,
      oldestComparedAt: null,
    });
    const next = (await plan('due')).compare.flatMap(({ segments }) => segments);
    expect(next.filter((id) => first.includes(id))).toEqual([]);
    expect((await plan('none')).compare).toEqual([]);
  });

  it('is not lost by a run that compares nothing, and its coverage is told once all was compared', async () => {
    const all = inHome().map(({ id }) => id);
    await keep({ compared: all });
    const after = await keep({ run: '20261124T031500Z-00000002' });
    expect(after).toMatchObject({ comparable: all.length, compared: all.length });
    expect(after.oldestComparedAt).not.toBeNull();
  });

  it('is of the newest bundle that has the component: a tier A has no transcripts', () => {
    const older = { ...stores.manifest, bundle: 'older' };
    const tierA = {
      ...stores.manifest,
      bundle: 'newest',
      segments: stores.manifest.segments.filter(({ component }) => component === 'config'),
    };
    const found = comparableOf([tierA, older]);
    expect(found.filter(({ segment }) => segment.component === 'config').map(({ bundle }) => bundle)).toSatisfy(
      (bundles: string[]) => bundles.length > 0 && bundles.every((bundle) => bundle === 'newest'),
    );
    expect(found.find(({ segment }) => segment.component === 'transcripts')?.bundle).toBe('older');
  });
});

describe('the record of a verification', () => {
  it('adds to the one before, and forgets a fault only when the segment was opened and right', async () => {
    await keep({ opened: ['s-0001'], bad: ['s-0002', 's-0003'], run: bundleIdOf(Date.now(), '00000001') });
    await keep({ opened: ['s-0002'], run: bundleIdOf(Date.now() + 1000, '00000002') });
    const record = await newestRecord(stores.deps, place, signal);
    const suffix = (id: string) => stores.manifest.segments.find((segment) => segment.id === id)?.suffix ?? '';
    expect(Object.keys(record?.opened ?? {}).toSorted()).toEqual([suffix('s-0001'), suffix('s-0002')].toSorted());
    expect(record?.bad).toEqual([suffix('s-0003')]);
  });

  it('is written once, whatever its attempts', async () => {
    await keep({ opened: ['s-0001'] });
    const before = stores.objects('primary');
    await keep({ opened: ['s-0001'] });
    expect(stores.objects('primary')).toEqual(before);
  });

  it('that cannot be read is none', async () => {
    await keep({ opened: ['s-0001'] });
    const [key = ''] = Object.keys(stores.objects('primary')).filter((name) => name.includes('/verifications/'));
    rmSync(stores.path('primary', key));
    writeFileSync(stores.path('primary', key), '{"format":1,"bad":"x"}');
    expect(await newestRecord(stores.deps, place, signal)).toBeUndefined();
  });
});

describe('the next backup', () => {
  it('refers to no segment that is gone, has another size, or was found bad', async () => {
    const reusable = stores.manifest.segments.filter((segment) => segment.reusable);
    const [gone, short, bad, good] = reusable;
    if (!gone || !short || !bad || !good) throw new Error('the golden bundle has too few reusable segments');
    rmSync(stores.path('primary', stores.key(gone.id)));
    stores.damage('primary', stores.key(short.id), (bytes) => bytes.subarray(1));
    stores.damage('primary', stores.key(bad.id), flipOne);
    const find = async () => {
      const fingerprints = reusable.map(({ fingerprint }) => fingerprint);
      const { segments } = await runStep(findReusableStep(stores.deps), { ...place, fingerprints });
      return segments.map(({ fingerprint }) => fingerprint);
    };
    expect(await find()).toContain(bad.fingerprint); // its size does not tell
    const { faults } = await verify([bad.id, good.id]);
    await keep({ bad: faults.map(({ segment = '' }) => segment) });
    const found = await find();
    for (const { fingerprint } of [gone, short, bad]) expect(found).not.toContain(fingerprint);
    expect(found).toContain(good.fingerprint);
  });
});

describe('the rotation', () => {
  const segments = fc.uniqueArray(
    fc.record({
      suffix: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 1 }),
      sealedBytes: fc.integer({ min: 1, max: 1_000_000 }),
    }),
    { selector: ({ suffix }) => suffix, minLength: 1, maxLength: 60 },
  );

  it('has opened everything within its time, run daily', () => {
    fc.assert(
      fc.property(segments, fc.integer({ min: 2, max: 40 }), (all, days) => {
        const opened: Record<string, string> = {};
        let lastRunAt: string | undefined;
        for (let today = 0; today < days; today++) {
          const nowMs = Date.UTC(2026, 10, 22) + today * day;
          const now = new Date(nowMs).toISOString();
          for (const suffix of dueSegments(all, { nowMs, withinMs: days * day, opened, lastRunAt }))
            opened[suffix] = now;
          lastRunAt = now;
        }
        expect(Object.keys(opened)).toHaveLength(all.length);
      }),
    );
  });

  it('makes up for days on which it did not run', () => {
    fc.assert(
      fc.property(segments, (all) => {
        const nowMs = Date.UTC(2026, 10, 22);
        const lastRunAt = new Date(nowMs - 31 * day).toISOString();
        expect(dueSegments(all, { nowMs, withinMs: 30 * day, opened: {}, lastRunAt }).size).toBe(all.length);
      }),
    );
  });
});

describe('a database', () => {
  const made = (sql: string, change = (bytes: Buffer): Buffer => bytes): Uint8Array<ArrayBuffer> => {
    const path = stores.path('primary', 'made.db');
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
    const bytes = new Uint8Array(change(readFileSync(path)));
    rmSync(path);
    return bytes;
  };
  const rows =
    'CREATE TABLE a(x TEXT); CREATE INDEX i ON a(x); INSERT INTO a SELECT hex(randomblob(99)) FROM json_each(json_array(1,2,3,4,5,6,7,8,9));';

  it('is sound, also when it writes a log beside it', async () => {
    expect(await checkDatabase(made(`PRAGMA journal_mode=WAL; ${rows}`), signal)).toBe('sound');
  });

  it('with a row that refers to nothing is dangling', async () => {
    const sql =
      'PRAGMA foreign_keys=OFF; CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p REFERENCES p(id)); INSERT INTO c VALUES (7);';
    expect(await checkDatabase(made(sql), signal)).toBe('dangling');
  });

  it('with a torn page, or that is none, is damaged', async () => {
    expect(
      await checkDatabase(
        made(rows, (bytes) => bytes.fill(0, 4096, 8192)),
        signal,
      ),
    ).toBe('damaged');
    expect(await checkDatabase(new Uint8Array(512).fill(65), signal)).toBe('damaged');
  });
});

function flipOne(bytes: Buffer): Buffer {
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}
