// What the fault sweep measures with must be able to see: each instrument is shown the thing that it looks for.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ActivityRun, resentSegments, resumedAfterMs } from './history.ts';
import { type LaneLook, lookDifferences } from './lane-look.ts';
import { missingObjects, StoreWatch, unnamedObjects } from './store-watch.ts';
import { activitiesWithoutRow, registeredActivities, tasksOf } from './sweep.ts';

const fingerprint = 'a'.repeat(64);

describe('the sweep', () => {
  it('fails when a registered activity has no row', () => {
    expect(activitiesWithoutRow([...registeredActivities(), 'madeTomorrow'])).toContain('madeTomorrow');
  });

  it('has kill and fail for every activity that workers register', () => {
    expect(activitiesWithoutRow()).toEqual([]);
    const rows = tasksOf().map(({ activity, fault }) => `${activity} ${fault}`);
    expect(registeredActivities().flatMap((name) => [`${name} kill`, `${name} fail`])).toSatisfy((wanted: string[]) =>
      wanted.every((row) => rows.includes(row)),
    );
  });
});

describe('the watch over a store', () => {
  let root: string;
  const put = (key: string, content: string): void => {
    mkdirSync(dirname(join(root, key)), { recursive: true });
    writeFileSync(join(root, key), content);
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'clawback-watch-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('sees an object replaced by other bytes', () => {
    put('lane-1/segments/one', 'first');
    const watch = new StoreWatch(root);
    put('lane-1/segments/one', 'another');
    watch.stop();
    expect(watch.overwritten).toBe(1);
  });

  it('counts what came since by fingerprint, and not what was there', () => {
    put(`lane-1/segments/${fingerprint}-0000000000000001`, 'old');
    const watch = new StoreWatch(root);
    put(`lane-1/segments/${fingerprint}-0000000000000002`, 'new');
    put(`lane-2/segments/${fingerprint}-0000000000000003`, "another lane's");
    expect([...watch.newSegments('lane-1')]).toEqual([[fingerprint, 1]]);
    watch.stop();
  });

  it('tells objects that no manifest names, unfinished uploads, and what is named and gone', () => {
    const named = { fingerprint, suffix: '1', index: { suffix: '2' } };
    const payload = Buffer.from(JSON.stringify({ segments: [named] })).toString('base64');
    put('lane-1/manifests/b.json', JSON.stringify({ payload }));
    put(`lane-1/segments/${fingerprint}-1`, 'named');
    put(`lane-1/indexes/${fingerprint}-2`, 'named');
    put(`lane-1/indexes/${fingerprint}-3`, 'unnamed');
    put('.uploads/x', 'half');
    expect(unnamedObjects(root, 'lane-1').toSorted()).toEqual(['.uploads/x', `lane-1/indexes/${fingerprint}-3`]);
    expect(missingObjects(root, 'lane-1')).toEqual([]);
    rmSync(join(root, `lane-1/indexes/${fingerprint}-2`));
    expect(missingObjects(root, 'lane-1')).toEqual([`lane-1/indexes/${fingerprint}-2`]);
  });
});

describe('the reading of a history', () => {
  const run = (more: Partial<ActivityRun>): ActivityRun => ({
    activity: 'backupSegment',
    input: { segment: { fingerprint, id: 's-0001' } },
    completed: true,
    attempt: 1,
    startedAtMs: 1_000,
    ...more,
  });

  it('counts a finished segment that is scheduled again', () => {
    expect(resentSegments([run({}), run({})], new Map())).toBe(1);
  });

  it('counts no retry of a segment that had not finished', () => {
    expect(resentSegments([run({ attempt: 2 })], new Map([[fingerprint, 2]]))).toBe(0);
  });

  it('counts objects beyond the attempts that may have made them', () => {
    expect(resentSegments([run({})], new Map([[fingerprint, 3]]))).toBe(2);
  });

  it('finds the next attempt after a death, and none where there was none', () => {
    const fired = { pid: 1, atMs: 900, attempt: 1 };
    expect(resumedAfterMs([run({ attempt: 2, startedAtMs: 9_400 })], 'backupSegment', fired)).toBe(8_500);
    expect(resumedAfterMs([run({})], 'backupSegment', fired)).toBeNull();
  });
});

describe('the look at a lane', () => {
  const look: LaneLook = { picture: { trees: new Map(), turns: ['one'] }, items: { token: 'a' }, plist: 'p', kept: [] };

  it('tells a lost turn, a changed Keychain item and a changed plist', () => {
    const other = { ...look, picture: { ...look.picture, turns: [] }, items: { token: 'b' }, plist: 'q' };
    expect(lookDifferences(look, other)).toEqual(['lost turn one', 'item token', 'plist']);
    expect(lookDifferences(look, look)).toEqual([]);
  });
});
