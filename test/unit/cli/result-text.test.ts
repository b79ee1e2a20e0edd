import { describe, expect, it } from 'vitest';
import { backupText } from '../../../src/cli/backup-text.ts';
import { planText, restoreText } from '../../../src/cli/restore-text.ts';
import type { BackupResult, RestorePlan, RestoreResult } from '../../../src/contract/results.ts';

const bundle = '20261122T031500Z-1a2b3c4d';
const hour = 3_600_000;

const backup: BackupResult = {
  bundle,
  lane: 'lane-1',
  host: 'mac-1',
  tier: 'B',
  manifestSha256: 'a'.repeat(64),
  segments: 9,
  reusedSegments: 4,
  sizeBytes: 2.3e9,
  sealedBytes: 1.1e9,
  elapsedMs: 62_000,
  omissions: [{ reason: 'rebuildable', count: 12 }],
  suspect: [],
  warnings: [],
};

const plan: RestorePlan = {
  lane: 'lane-1',
  host: 'mac-1',
  fromHost: null,
  bundle,
  tier: 'B',
  proven: false,
  store: 'primary',
  sources: [{ bundle, components: ['config', 'transcripts'] }],
  sizeBytes: 2.3e9,
  sealedBytes: 1.1e9,
  segments: 9,
  rpo: [
    { dataClass: 1, bundle, capturedAt: '2026-11-22T03:15:00.000Z', rpoMs: 30 * hour },
    { dataClass: 2, bundle, capturedAt: '2026-11-22T03:15:00.000Z', rpoMs: 30 * hour },
  ],
  estimateMs: 118_000,
  openclawVersion: '2026.9.6',
  liveOpenclawVersion: null,
  freeBytes: 80e9,
  neededBytes: 3e9,
  warnings: ['the disk is nearly full'],
};
const context = { rpoMs: 24 * hour, rtoMs: 1.5 * hour, chosenBy: 'default' } as const;

const result: RestoreResult = {
  lane: 'lane-1',
  host: 'mac-1',
  bundle,
  into: 'live',
  plan,
  stores: [
    { store: 'primary', segments: 4 },
    { store: 'far', segments: 5 },
  ],
  rtoMs: 125_000,
  rtoBudgetMs: 1.5 * hour,
  answeredAt: '2026-11-23T09:20:00.000Z',
  steps: [
    { step: 'stop', ms: 4_000, budgetMs: 300_000 },
    { step: 'tree', ms: 90_000, budgetMs: 2_400_000 },
    { step: 'secrets', ms: 0, budgetMs: 1_200_000 },
    { step: 'smoke', ms: 20_000, budgetMs: 900_000 },
  ],
  rpo: plan.rpo,
  messageAnswered: true,
  overBudget: [],
  bakEpoch: 1_795_378_094,
  receipt: '20261122T040000Z-89abcdef',
  warnings: [],
};

describe("a backup's result", () => {
  it('tells what the bundle holds, what was written and what was left out', () => {
    expect(backupText(backup)).toContain(`holds     2.3 GB in 9 segments, 4 of them in the store already`);
    expect(backupText(backup)).toContain('left out  12 rebuildable');
  });

  it('shouts when the bundle is suspect', () => {
    expect(backupText({ ...backup, suspect: ['class-one-empty'] })).toContain('SUSPECT   class-one-empty');
  });
});

describe("a restore's plan", () => {
  it('says which bundle and why, and whether it is proven', () => {
    expect(planText(plan, context)).toContain(
      `${bundle} (tier B; the newest bundle; none is proven by a passed restore)`,
    );
    expect(planText({ ...plan, proven: true }, context)).toContain('(tier B; the newest proven bundle)');
    expect(planText(plan, { ...context, chosenBy: 'bundle' })).toContain('as asked; not proven');
  });

  it('says what is lost, by class, against the RPO of class 1', () => {
    expect(planText(plan, context)).toMatch(/^read from +store primary$/m);
    expect(restoreText(result)).toMatch(/^read from +primary \(4 segments\), far \(5 segments\)$/m);
    const text = planText(plan, context);
    expect(text).toMatch(/lost, class 1 +what changed since .+ \(1 d 6 h ago; RPO 1 d MISSED\)/);
    expect(text).toMatch(/lost, class 2 +what changed since .+ \(1 d 6 h ago\)/);
  });

  it('says that a class which the bundle does not have stays as it is on the lane', () => {
    const [first] = plan.rpo;
    expect(planText({ ...plan, rpo: first ? [first] : [] }, context)).toMatch(
      /lost, class 2 +nothing: the bundle has none of it, what the lane has stays/,
    );
    expect(planText({ ...plan, rpo: [] }, { ...context, only: 'logs' })).toMatch(
      /lost, class 1 +nothing: only logs is restored/,
    );
  });

  it('names the source of each part when it is layered', () => {
    const layered = {
      ...plan,
      sources: [...plan.sources, { bundle: '20261120T031500Z-1a2b3c4d', components: ['workspace'] as const }],
    };
    expect(planText(layered, context)).toContain('workspace from 20261120T031500Z-1a2b3c4d');
  });

  it('tells estimate, room, versions and warnings', () => {
    const text = planText(plan, context);
    for (const part of [
      '1 m 58 s (RTO 1 h 30 m)',
      '3.0 GB needed, 80.0 GB free',
      '2026.9.6 in the bundle, unknown on the lane',
      'the disk is nearly full',
    ])
      expect(text).toContain(part);
  });
});

describe("a restore's result", () => {
  it('tells the steps that ran against their budgets, and how to go back', () => {
    const text = restoreText(result);
    expect(text).toContain('tree    1 m 30 s  40 m');
    expect(text).not.toContain('secrets');
    expect(text).toContain('.bak.1795378094, for 7 days (./clawback restore lane-1 --undo)');
  });

  it('does not hide that no message was answered', () => {
    expect(restoreText({ ...result, messageAnswered: false })).toContain('it answers NO message');
  });

  it.each([
    ['sandbox', 'the lane was not touched'],
    ['undo', 'is back at what its last restore had replaced'],
  ] as const)('of %s says so', (into, text) => {
    expect(restoreText({ ...result, into, bakEpoch: null })).toContain(text);
  });
});
