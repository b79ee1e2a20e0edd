// Goes back to what the last committed restore replaced: the journal is turned round, and settling does the rest.

import { CancellationScope, CancelledFailure } from '@temporalio/workflow';
import type { RestoreResult } from '../contract/results.ts';
import type { SmokeResult } from '../contract/step-types.ts';
import { diskWarning } from './restore-parts.ts';
import { RestoreClock } from './restore-clock.ts';
import type { Section } from './section.ts';
import { vault, vaultDown } from './steps.ts';

export async function undo(section: Section): Promise<RestoreResult> {
  const clock = new RestoreClock(section);
  if (CancellationScope.current().consideredCancelled)
    throw new CancelledFailure('the undo was cancelled before it began');
  // once it may have begun it must not end as cancelled, which says that the lane is as it was; it takes seconds
  return CancellationScope.nonCancellable(() => clock.whole(() => goBack(section, clock)));
}

async function goBack(section: Section, clock: RestoreClock): Promise<RestoreResult> {
  const { spec } = section;
  // before the call: its answer may be lost when the journal has been turned round
  section.journalled = true;
  const { epoch } = await vault.beginUndo(section.mutating());
  const { gateway } = await clock.step('tree', 'going back to the old tree', () =>
    vaultDown.settleLane(section.mutating()),
  );
  section.evidence.undone = true;
  const smoke = gateway === 'running' ? await clock.step('smoke', 'testing', () => test(section)) : undefined;
  if (smoke?.answered) clock.answered();
  return {
    lane: spec.lane,
    host: spec.target.host.name,
    bundle: '',
    into: 'undo',
    plan: null,
    stores: [],
    rtoMs: clock.rtoMs,
    rtoBudgetMs: clock.rtoBudgetMs,
    steps: clock.times(),
    rpo: [],
    messageAnswered: smoke?.answered ?? false,
    answeredAt: clock.answeredAt,
    overBudget: section.progress.overBudget,
    bakEpoch: epoch,
    receipt: null,
    warnings: smoke
      ? smokeWarnings(smoke)
      : ["the lane is back at its old tree, but that tree's gateway does not start"],
  };
}

function test({ spec }: Section): Promise<SmokeResult> {
  return vaultDown.smokeTest({ target: spec.target, messageToken: spec.messageToken ?? null });
}

function smokeWarnings({ answered, httpStatus, diskUsedRatio }: SmokeResult): string[] {
  return [
    ...(answered ? [] : [`the old tree's gateway answers no message (HTTP status ${httpStatus})`]),
    ...diskWarning(diskUsedRatio),
  ];
}
