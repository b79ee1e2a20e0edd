// Goes back to what the last committed restore replaced: the journal is turned round, and settling does the rest.

import type { RestoreResult } from '../contract/results.ts';
import { diskWarning } from './restore-parts.ts';
import { RestoreClock } from './restore-clock.ts';
import type { Section } from './section.ts';
import { host, vaultDown } from './steps.ts';

export async function undo(section: Section): Promise<RestoreResult> {
  const clock = new RestoreClock(section);
  return clock.whole(() => goBack(section, clock));
}

async function goBack(section: Section, clock: RestoreClock): Promise<RestoreResult> {
  const { spec } = section;
  // before the call: its answer may be lost when the journal has been turned round
  section.journalled = true;
  const { epoch } = await host.beginUndo(section.mutating());
  await clock.step('tree', 'going back to the old tree', () => vaultDown.settleLane(section.mutating()));
  section.evidence.undone = true;
  const smoke = await clock.step('smoke', 'testing', () =>
    vaultDown.smokeTest({ target: spec.target, messageToken: spec.messageToken ?? null }),
  );
  if (smoke.answered) clock.answered();
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
    messageAnswered: smoke.answered,
    answeredAt: clock.answeredAt,
    overBudget: section.progress.overBudget,
    bakEpoch: epoch,
    receipt: null,
    warnings: [
      ...(smoke.answered ? [] : [`the old tree's gateway answers no message (HTTP status ${smoke.httpStatus})`]),
      ...diskWarning(smoke.diskUsedRatio),
    ],
  };
}
