import { describe, expect, it } from 'vitest';
import { defaultRestoreBudgets, defaultRpoMs, restoreSteps } from '../../../src/domain/budget.ts';
import { limits } from '../../../src/domain/limits.ts';

const minuteMs = 60_000;

describe('budgets of a restore', () => {
  it('are 5, 40, 20 and 15 minutes, 80 in all, and ten in reserve', () => {
    const { rtoMs, stepMs } = defaultRestoreBudgets;
    const minutes = restoreSteps.map((step) => stepMs[step] / minuteMs);
    expect(minutes).toEqual([5, 40, 20, 15]);
    expect(minutes.reduce((sum, one) => sum + one, 0)).toBe(80);
    expect(rtoMs).toBe(90 * minuteMs);
  });

  it('promise class 1 no older than a day', () => {
    expect(defaultRpoMs).toBe(24 * 60 * minuteMs);
  });
});

describe('limits', () => {
  it('are positive', () => {
    for (const [name, limit] of Object.entries(limits)) expect(limit, name).toBeGreaterThan(0);
  });

  it('agree with each other, as their arithmetic says', () => {
    expect(limits.segmentResultBytes * limits.segmentsPerBundle).toBeLessThanOrEqual(256 * 1024);
    expect(limits.heartbeatMs * 3).toBeLessThanOrEqual(limits.heartbeatTimeoutMs);
    expect(limits.segmentBytes * limits.segmentsPerBundle).toBeGreaterThanOrEqual(120e9);
    expect(limits.keychainItems * ((limits.keychainValueBytes * 4) / 3 + 2 * 255)).toBeLessThan(limits.secretsBytes);
    expect(limits.tarHeaderBytes).toBeGreaterThan(2 * limits.pathBytes);
    expect(limits.membersPerSegment * 300).toBeLessThanOrEqual(limits.indexBytes);
    expect(limits.sealFrameBytes).toBeLessThan(limits.segmentBytes);
  });
});
