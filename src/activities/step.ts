// What every activity does beside its work: it beats by timer, so that a dead worker is noticed within
// seconds and cancellation arrives; it counts bytes for the progress display; it translates failures.

import { Context } from '@temporalio/activity';
import { LaneShell } from '../lane/lane-shell.ts';
import type { Fence } from '../lane/fence.ts';
import { limits } from '../domain/limits.ts';
import type { LaneTarget } from '../domain/lane-target.ts';
import type { StepFence } from '../contract/step-types.ts';
import type { Deps } from './deps.ts';
import { toApplicationFailure } from './failures.ts';

export interface Run {
  readonly signal: AbortSignal;
  readonly attempt: number;
  /** When Temporal put this attempt on its queue, by Temporal's clock, ms. */
  readonly scheduledAtMs: number;
  /** Counts bytes that went through; the heartbeat tells them. */
  countBytes(bytes: number): void;
}

/** Makes an activity of a body. */
export function activity<I, O>(body: (input: I, run: Run) => Promise<O>): (input: I) => Promise<O> {
  return async (input) => {
    const context = Context.current();
    const signal = context.cancellationSignal;
    let bytes = 0;
    const beat = setInterval(() => context.heartbeat({ bytes }), limits.heartbeatMs);
    try {
      return await body(input, {
        signal,
        attempt: context.info.attempt,
        scheduledAtMs: context.info.currentAttemptScheduledTimestampMs,
        countBytes: (more) => {
          bytes += more;
        },
      });
    } catch (error) {
      throw toApplicationFailure(error, signal.aborted);
    } finally {
      clearInterval(beat);
    }
  };
}

/** A shell on the lane over the pooled connection of its host. */
export async function reach(
  deps: Pick<Deps, 'pool'>,
  target: LaneTarget,
  run: Pick<Run, 'signal'>,
): Promise<LaneShell> {
  return new LaneShell(await deps.pool.lease(target.host, run.signal), target);
}

/** The fence of this attempt. */
export function fenceOf(fence: StepFence, run: Run): Fence {
  return { ...fence, attempt: run.attempt };
}
