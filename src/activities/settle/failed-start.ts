// What a gateway that does not start means for settling, whose tree is back by then: told as a result, told as a failure,
// or tried again.

import type { Journal } from '../../contract/journal.ts';

/** An undo is somebody's wish, and he waits: a gateway that does not start is told after this many tries, 30 s each at most. */
const undoStartTries = 3;

/**
 * A restore that failed goes back to a tree that was healthy, and whose gateway should start: tried for some 4 minutes
 * (8 × 30 s), as often as settling is tried before another operation. Then the operator hears of it.
 */
const rollBackStartTries = 8;

/**
 * `settled`: the lane is settled, its gateway is down, and the result says so. `told`: the section ends and says so, the
 * journal stays, and the watch goes on settling. `again`: the same section tries once more.
 */
export function afterFailedStart(
  { before, phase }: Pick<Journal, 'before' | 'phase'>,
  attempt: number,
): 'settled' | 'told' | 'again' {
  if (!before.healthy) return 'settled';
  if (phase === 'undo') return attempt >= undoStartTries ? 'settled' : 'again';
  return attempt >= rollBackStartTries ? 'told' : 'again';
}
