// Stops a lane's gateway, in its section, and leaves it stopped. It cannot be cancelled half-way: a lane is stopped or not.

import { CancellationScope, CancelledFailure } from '@temporalio/workflow';
import type { StopResult } from '../contract/results.ts';
import type { Section } from './section.ts';
import { hostDown } from './steps.ts';

export async function stop(section: Section, by: string): Promise<StopResult> {
  if (CancellationScope.current().consideredCancelled)
    throw new CancelledFailure('the stop was cancelled before it began');
  section.progress.update({ phase: 'stopping the gateway, to stay stopped' });
  const phase = 'stopping the gateway';
  return section.evidence.part({ step: 'stop', phase }, () =>
    CancellationScope.nonCancellable(() => hostDown.holdLane({ ...section.mutating(), by })),
  );
}
