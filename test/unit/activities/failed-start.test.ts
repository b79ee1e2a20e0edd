// What settling makes of a gateway that does not start on the tree that it went back to.

import { describe, expect, it } from 'vitest';
import { afterFailedStart } from '../../../src/activities/settle/failed-start.ts';

const healthy = { loaded: true, disabled: false, healthy: true };

describe('a gateway that does not start when its tree is back', () => {
  it('may go on failing when it was broken before', () => {
    for (const phase of ['open', 'undo'] as const)
      expect(afterFailedStart({ phase, before: { ...healthy, healthy: false } }, 1)).toBe('settled');
  });

  it('is told as the result of an undo after three tries', () => {
    const undo = { phase: 'undo', before: healthy } as const;
    expect([1, 2, 3, 4].map((attempt) => afterFailedStart(undo, attempt))).toEqual([
      'again',
      'again',
      'settled',
      'settled',
    ]);
  });

  it('is told as a failure after eight tries when it was healthy before a restore, and never counts as settled', () => {
    const open = { phase: 'open', before: healthy } as const;
    expect([1, 7, 8, 9, 500].map((attempt) => afterFailedStart(open, attempt))).toEqual([
      'again',
      'again',
      'told',
      'told',
      'told',
    ]);
  });
});
