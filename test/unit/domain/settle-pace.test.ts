// When the watch starts to settle a lane again.

import { describe, expect, it } from 'vitest';
import { afterSettleTry, isSettleDue, type SettleTry, slowTryMs } from '../../../src/domain/settle-pace.ts';

describe('a lane that does not get settled', () => {
  it('is tried at once three times, then each ten minutes, without end', () => {
    const starts: number[] = [];
    let last: SettleTry | undefined;
    for (let minute = 0; minute <= 40; minute += 1) {
      const nowMs = minute * 60_000;
      if (!isSettleDue(last, nowMs)) continue;
      last = afterSettleTry(last, nowMs);
      starts.push(minute);
    }
    expect(starts).toEqual([0, 1, 2, 12, 22, 32]);
  });

  it('is due at the very end of the pause, and not before', () => {
    const last = { count: 3, lastMs: 1000 };
    expect(isSettleDue(last, 1000 + slowTryMs - 1)).toBe(false);
    expect(isSettleDue(last, 1000 + slowTryMs)).toBe(true);
  });
});
