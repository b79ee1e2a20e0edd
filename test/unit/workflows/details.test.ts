import { describe, expect, it } from 'vitest';
import type { BackupResult, Progress, RestoreResult } from '../../../src/contract/results.ts';
import { doneDetails, progressDetails } from '../../../src/workflows/details.ts';

const progress: Progress = {
  phase: 'streaming segments',
  startedAt: '2026-11-22T20:00:00.000Z',
  segmentsDone: 3,
  segmentsTotal: 9,
  bytesDone: 20_400_000,
  bytesTotal: 60_900_000,
  reusedBytes: 0,
  step: null,
  overBudget: [],
};

const backup: BackupResult = {
  bundle: '20261122T203512Z-1ea84dff',
  lane: 'lane-1',
  host: 'mac-1',
  tier: 'B',
  manifestSha256: 'ab'.repeat(32),
  segments: 10,
  reusedSegments: 4,
  sizeBytes: 65_086_163,
  sealedBytes: 28_751_062,
  elapsedMs: 4170,
  omissions: [],
  suspect: ['config shrank by half'],
  warnings: ['the clock of mac-1 is 70 s off'],
};

const restore: RestoreResult = {
  lane: 'lane-1',
  host: 'mac-1',
  bundle: '20261122T203512Z-1ea84dff',
  into: 'live',
  plan: null,
  stores: [],
  rtoMs: 17_611,
  rtoBudgetMs: 5_400_000,
  steps: [
    { step: 'stop', ms: 2201, budgetMs: 300_000 },
    { step: 'secrets', ms: 0, budgetMs: 1_200_000 },
  ],
  rpo: [{ dataClass: 1, bundle: '20261122T203512Z-1ea84dff', capturedAt: '2026-11-22T20:35:13.000Z', rpoMs: 25_158 }],
  messageAnswered: true,
  answeredAt: '2026-11-22T20:36:00.000Z',
  overBudget: [],
  bakEpoch: 1_795_379_757,
  receipt: '20261122T040000Z-89abcdef',
  warnings: [],
};

describe('the page of a running section', () => {
  it('says the phase, and segments and bytes of how many', () => {
    expect(progressDetails(progress)).toBe('**streaming segments**\n\nsegments 3 of 9, 20.4 MB of 60.9 MB');
  });

  it('says the phase alone before anything is counted', () => {
    expect(progressDetails({ ...progress, segmentsTotal: 0 })).toBe('**streaming segments**');
  });

  it('says what was reused, the step with its budget, and which budget is overrun', () => {
    const step = { name: 'tree', startedAt: '2026-11-22T20:00:00.000Z', budgetMs: 2_400_000 } as const;
    const text = progressDetails({ ...progress, reusedBytes: 5_000_000, step, overBudget: ['tree (budget 40 min)'] });
    expect(text).toContain('60.9 MB, 5.0 MB reused');
    expect(text).toContain('step tree since 2026-11-22T20:00:00.000Z, budget 40 m');
    expect(text).toContain('**over budget**: tree (budget 40 min)');
  });
});

describe('the page of a finished section', () => {
  it('names the bundle of a backup, its sizes, why it is suspect, and its warnings', () => {
    expect(doneDetails({ kind: 'backup', backup })).toBe(
      [
        '**backed up** lane-1, tier B: bundle 20261122T203512Z-1ea84dff',
        '65.1 MB in 10 segments, 4 of them reused; 28.8 MB written in 4.2 s',
        '**suspect**: config shrank by half',
        'warning: the clock of mac-1 is 70 s off',
      ].join('\n\n'),
    );
  });

  it('says of a live restore whether the message was answered, when, and each step that took time', () => {
    const text = doneDetails({ kind: 'restore', restore });
    expect(text).toContain('**restored** lane-1 from bundle 20261122T203512Z-1ea84dff');
    expect(text).toContain('the test message was answered after 18 s (RTO 1 h 30 m)');
    expect(text).toContain('| stop | 2.2 s | 5 m |');
    expect(text).not.toContain('| secrets');
    expect(text).toContain('class 1 is of 2026-11-22T20:35:13.000Z, 25 s before the restore began');
  });

  it.each([
    ['sandbox', '**restored into a sandbox:** lane-1'],
    ['plan', '**planned a restore of** lane-1'],
    ['undo', '**went back** to the tree that lane-1 had before its last restore'],
  ] as const)('tells a restore of kind %s from a live one, which alone sends a message', (into, words) => {
    const text = doneDetails({ kind: 'restore', restore: { ...restore, into } });
    expect(text).toContain(words);
    expect(text).not.toContain('test message');
  });

  it('says what settling and sweeping did', () => {
    expect(doneDetails({ kind: 'settle', settle: { action: 'rolled-back', gateway: 'running' } })).toBe(
      '**settled**: rolled-back; the gateway is running',
    );
    const sweep = {
      store: 'near',
      replica: null,
      removedObjects: 2,
      removedBytes: 1_500_000,
      keptObjects: 20,
      lockedObjects: 0,
      lockedUntil: null,
      staleUploads: 0,
      damaged: [],
    };
    expect(doneDetails({ kind: 'sweep', sweep })).toBe('**swept**: 2 objects (1.5 MB) removed from near, 20 kept');
    const both = { ...sweep, replica: { ...sweep, store: 'far' } };
    expect(doneDetails({ kind: 'sweep', sweep: both })).toContain('; 2 objects (1.5 MB) removed from far, 20 kept');
    const harmful = { ...sweep, damaged: ['20261122T031500Z-1a2b3c4d'] };
    expect(doneDetails({ kind: 'sweep', sweep: harmful })).toContain('1 bundles lack objects: 20261122T031500Z');
  });
});
