import { describe, expect, it } from 'vitest';
import { expiryOutcome } from '../../../src/cli/commands/expire.ts';
import { expiryText } from '../../../src/cli/expiry-text.ts';
import type { ExpiryResult, ExpiryVerdict, StoreExpiry } from '../../../src/contract/expiry.ts';
import { Failure } from '../../../src/domain/failure.ts';

const bundle = '20261122T031500Z-1a2b3c4d';
const kept: ExpiryVerdict = { bundle, tier: 'B', state: 'kept', reasons: ['newest', 'last-proven'], goesAt: null };
const verdict = (state: ExpiryVerdict['state'], goesAt: string | null = null): ExpiryVerdict => ({
  ...kept,
  state,
  goesAt,
  reasons: [],
});

const quiet: StoreExpiry = {
  store: 'primary',
  standsStill: null,
  bundles: [kept],
  bundlesTotal: 1,
  expiringBytes: 0,
  buried: 0,
  removedBundles: [],
  removedObjects: 0,
  removedBytes: 0,
  lockedObjects: 0,
  lockedUntil: null,
  staleUploads: 0,
  reprieved: 0,
};

function resultOf(store: Partial<StoreExpiry>, more: Partial<ExpiryResult> = {}): ExpiryResult {
  return { lane: 'lane-1', dryRun: false, timeZone: 'Asia/Tokyo', stores: [{ ...quiet, ...store }], ...more };
}

describe('a dry run of expiry', () => {
  const bundles = [
    kept,
    { ...verdict('reprieved'), reasons: ['weekly' as const] },
    verdict('expires'),
    verdict('tombstoned', '2026-11-29T03:15:00.000Z'),
    verdict('due'),
    verdict('distrusted'),
  ];
  const text = expiryText(resultOf({ bundles, bundlesTotal: 8, expiringBytes: 3e9 }, { dryRun: true }));

  it('says first how many bundles would get a tombstone, how many would go, and what that frees', () => {
    expect(text.split('\n')[0]).toBe(
      'lane lane-1 in store primary: 1 bundle would get a tombstone, 1 would be removed; in the end 3.0 GB are freed',
    );
  });

  it.each([
    ['a kept one, and why', 'kept: newest, last-proven'],
    ['one that is to be kept again', 'to be kept again: weekly'],
    ['one that is given up', 'gets a tombstone'],
    ["one that waits, and until when, by the lane's own clock", 'tombstoned, goes after 2026-11-29 12:15:00 GMT+9'],
    ['one whose time is over', 'to be removed, its grace is over'],
    ['one with a tombstone that nobody of ours set', 'stays: its tombstone is not signed by a key of the fleet'],
  ])('has a row for %s', (_what, cell) => {
    expect(text.split('\n')).toContain(`${bundle}  B     ${cell}`);
  });

  it('says how many bundles it does not show', () => {
    expect(text.split('\n').at(-1)).toBe('and 2 older bundles');
  });
});

describe('an expiry', () => {
  it('says in one line what was done, and of the rarer things only those that happened', () => {
    expect(expiryText(resultOf({}))).toBe(
      'lane lane-1 in store primary: 0 bundles removed, with 0 objects (0 B); 0 bundles got a tombstone',
    );
    const removal = { removedBundles: [bundle], removedObjects: 12, removedBytes: 2e9, buried: 2 };
    expect(
      expiryText(
        resultOf({
          ...removal,
          reprieved: 1,
          lockedObjects: 3,
          lockedUntil: '2026-12-24T18:00:00.000Z',
          staleUploads: 1,
        }),
      ),
    ).toBe(
      'lane lane-1 in store primary: 1 bundle removed, with 12 objects (2.0 GB); 2 bundles got a tombstone; 1 bundle kept again; 3 objects still locked, at the latest until 2026-12-25 03:00:00 GMT+9; 1 unfinished upload removed',
    );
  });

  it('that stands still says so, why, and what every bundle is, dry or not', () => {
    const still = { standsStill: 'the newest bundle is suspect' };
    for (const dryRun of [true, false]) {
      expect(expiryText(resultOf(still, { dryRun }))).toBe(
        [
          'lane lane-1 in store primary: EXPIRY STANDS STILL: the newest bundle is suspect',
          'bundle                     tier',
          `${bundle}  B     kept: newest, last-proven`,
        ].join('\n'),
      );
    }
  });

  it('has a part for each store of the lane', () => {
    const stores = [quiet, { ...quiet, store: 'far', buried: 1 }];
    expect(expiryText({ ...resultOf({}), stores }).split('\n\n')).toEqual([
      expect.stringContaining('in store primary: 0 bundles removed'),
      expect.stringContaining('in store far: 0 bundles removed'),
    ]);
  });
});

describe('the expiry of every lane', () => {
  const done = { lane: 'lane-1', workflowId: 'expire/lane-1/x', result: resultOf({}) };
  const still = {
    lane: 'lane-2',
    workflowId: 'expire/lane-2/x',
    result: resultOf({ standsStill: 'the newest bundle is suspect' }, { lane: 'lane-2' }),
  };
  const failed = { lane: 'lane-3', failure: new Failure('LaneBusy', 'lane lane-3 is held', { lane: 'lane-3' }) };

  it.each([
    ['ok when all came through', [done, done], 'ok'],
    ['attention when it stands still for one', [done, still], 'attention'],
    ["a lane's own failure, whatever the others did", [still, failed, done], 'refused'],
  ])('ends with %s', (_what, ended, expected) => {
    expect(expiryOutcome(ended).exit).toBe(expected);
  });

  it('tells each lane, also the one that failed and why, with what to do about it', () => {
    const { text, json } = expiryOutcome([done, failed, still]);
    const [first, second, third] = text.split('\n\n');
    expect(first).toContain('lane lane-1 in store primary');
    expect(second).toMatch(/^lane lane-3: lane lane-3 is held\nHINT: wait for the named workflow/);
    expect(third).toContain('EXPIRY STANDS STILL');
    expect(json).toMatchObject({
      lanes: [
        { workflowId: 'expire/lane-1/x', lane: 'lane-1', stores: [{ store: 'primary' }] },
        { lane: 'lane-3', code: 'LaneBusy', message: 'lane lane-3 is held' },
        { workflowId: 'expire/lane-2/x', lane: 'lane-2' },
      ],
    });
  });
});
