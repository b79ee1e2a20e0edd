// The part of a live restore that changes the lane. From `stopWriters` on a journal lies on the lane; if
// anything fails before `commitRestore`, the section settles the lane back to its old tree, and removes what was staged.

import { CancellationScope } from '@temporalio/workflow';
import type { RestoreResult } from '../contract/results.ts';
import type { ChosenBundles, ChosenSegment } from '../contract/step-types.ts';
import type { Component } from '../domain/terms.ts';
import { messageOf, workflowFailure } from './failures.ts';
import { diskWarning, type Planned, type Restore, wants } from './restore-parts.ts';
import type { RestoreClock } from './restore-clock.ts';
import type { Section } from './section.ts';
import { dropStage, fillStage } from './stage.ts';
import { hostDown, hostStart, vaultDown } from './steps.ts';
import { withPin } from './version-pin.ts';

type Done = Pick<RestoreResult, 'messageAnswered' | 'bakEpoch' | 'warnings'>;

export async function restoreLive(
  section: Section,
  operation: Restore,
  planned: Planned,
  clock: RestoreClock,
): Promise<Done> {
  const { chosen } = planned;
  const run = operation.restore;
  if (operation.stopFirst) await clock.step('stop', 'stopping writers first', () => stopWriters(section, run));
  await clock.step('tree', 'fetching and staging', () => fillStage(section, run, planned));
  // where they are stopped already, this is the last look at what was staged since
  await clock.step('stop', 'stopping writers', () => stopWriters(section, run));
  return withPin(section, operation, chosen, () => replace(section, operation, planned, clock));
}

/** From the swap on: what is live becomes what was staged, is started, tested and committed. */
async function replace(section: Section, operation: Restore, planned: Planned, clock: RestoreClock): Promise<Done> {
  const { chosen } = planned;
  const run = operation.restore;
  const components = chosen.sources.flatMap((source) => source.components);
  const swapped = await clock.step('tree', 'swapping trees', () => swap(section, run, components, chosen));
  await clock.step('secrets', 'rehydrating secrets', () => rehydrate(section, planned));
  const smoke = await clock.step('smoke', 'starting and testing', () => startAndTest(section));
  clock.answered();
  // once it may have been committed it must not end as cancelled, which says that the lane is as it was
  const { evidence } = section;
  evidence.committing = true;
  await evidence.part({ step: 'commit', phase: 'committing' }, () =>
    CancellationScope.nonCancellable(() => hostDown.commitRestore({ ...section.mutating(), restore: run })),
  );
  const warnings = await evidence.part({ step: 'commit', phase: 'tidying up' }, () => tidy(section));
  return {
    messageAnswered: smoke.answered,
    bakEpoch: swapped.renames > 0 || swapped.plist ? swapped.epoch : null,
    warnings: [...warnings, ...diskWarning(smoke.diskUsedRatio)],
  };
}

async function stopWriters(section: Section, restore: string): Promise<void> {
  section.journalled = true;
  await hostDown.stopWriters({ ...section.mutating(), restore });
}

async function swap(
  section: Section,
  restore: string,
  components: readonly Component[],
  chosen: ChosenBundles,
): Promise<Awaited<ReturnType<typeof hostDown.prepareSwap>>> {
  const prepared = await hostDown.prepareSwap({
    ...section.mutating(),
    restore,
    components,
    plists: wants(chosen, 'plists'),
    secrets: wants(chosen, 'secrets') ? section.spec.secrets : [],
    exclude: section.spec.exclude,
  });
  await hostDown.swapTrees(section.mutating());
  return prepared;
}

async function rehydrate(section: Section, { chosen, sources }: Planned): Promise<void> {
  const segment: ChosenSegment | undefined = chosen.segments.find(({ kind }) => kind === 'secrets');
  if (segment) await vaultDown.rehydrateSecrets({ ...section.mutating(), ...sources.copies, segment });
}

/** Health alone proves nothing: only an answered message does. */
export async function startAndTest(section: Section): Promise<Awaited<ReturnType<typeof vaultDown.smokeTest>>> {
  const { spec } = section;
  await hostStart.startGateway(section.mutating());
  const smoke = await vaultDown.smokeTest({ target: spec.target, messageToken: spec.messageToken ?? null });
  if (!smoke.healthy)
    throw workflowFailure('GatewayWouldNotStart', `the gateway of lane ${spec.lane} does not answer its health check`, {
      lane: spec.lane,
    });
  if (!smoke.answered) {
    throw workflowFailure(
      'MessageUnanswered',
      `the gateway of lane ${spec.lane} is healthy, but the test message got HTTP status ${smoke.httpStatus}`,
      { lane: spec.lane },
    );
  }
  return smoke;
}

/** After the commit the restore stands: what is left over is told, not undone. */
async function tidy(section: Section): Promise<string[]> {
  try {
    await dropStage(section);
    return [];
  } catch (error) {
    return [`the staging tree was not removed: ${messageOf(error)}`];
  }
}
