// A restore: check all that can be checked, stage, and only then stop, swap, rehydrate, start and prove with
// an answered message. Until the commit every failure leads back to the old tree; the section sees to that.

import { queues } from '../contract/names.ts';
import type { RestorePlan, RestoreResult } from '../contract/results.ts';
import type { ChosenBundles } from '../contract/step-types.ts';
import { estimateRestoreMs } from '../domain/budget.ts';
import { workflowFailure } from './failures.ts';
import { importArchive } from './import.ts';
import { RestoreClock } from './restore-clock.ts';
import { checkOrigin } from './restore-elsewhere.ts';
import { restoreLive } from './restore-live.ts';
import { type Planned, type Restore, Sources, wants } from './restore-parts.ts';
import { restoreSandbox } from './restore-sandbox.ts';
import { requirePin } from './version-pin.ts';
import type { Section } from './section.ts';
import { host, vault, vaultStream } from './steps.ts';

/** @param sinceMs from when its clocks run: a section that did something else first says when the restore began */
export async function restore(
  section: Section,
  operation: Restore,
  sinceMs = section.startedMs,
): Promise<RestoreResult> {
  const { evidence } = section;
  const clock = new RestoreClock(section, sinceMs);
  return clock.whole(async () => {
    const phase = 'checking bundle, host and workers';
    const planned = await evidence.part({ step: 'check', phase }, () => planRestore(section, operation, sinceMs));
    const { plan, sources } = planned;
    if (operation.dryRun)
      return answer(section, clock, {
        sources,
        into: 'plan',
        plan,
        messageAnswered: false,
        bakEpoch: null,
        warnings: [],
      });
    if (operation.into === 'sandbox') {
      const { warnings, ...checked } = await restoreSandbox(section, operation, planned, clock);
      return answer(section, clock, {
        sources,
        into: 'sandbox',
        plan,
        messageAnswered: false,
        bakEpoch: null,
        checked,
        warnings,
      });
    }
    const done = await restoreLive(section, operation, planned, clock);
    return answer(section, clock, { sources, into: 'live', plan, ...done });
  });
}

/** Everything that can be refused is refused here, with nothing changed. */
async function planRestore(section: Section, operation: Restore, sinceMs: number): Promise<Planned> {
  const { spec, progress, evidence } = section;
  progress.update({ phase: 'checking bundle, host and workers' });
  requireItems(section, operation);
  await host.requirePollers({ queues: Object.values(queues) });
  const survey = await host.surveyLane({ target: spec.target });
  evidence.survey = survey;
  const { fleet, lane, store, replica } = spec;
  const bundle =
    operation.archive === undefined ? operation.bundle : (await importArchive(section, operation.archive)).bundle;
  progress.update({ phase: 'checking bundle, host and workers' });
  const chosen = await vault.chooseBundles({
    fleet,
    lane,
    store,
    replica,
    layered: operation.layered,
    bundle,
    at: operation.at,
    only: operation.only,
  });
  evidence.choose(chosen, sinceMs);
  requireVersion(section, operation, chosen, survey.versionKnown);
  const pinned = await requirePin(section, operation, chosen, survey);
  const moved = await checkOrigin(section, operation, chosen, survey);
  const secrets = wants(chosen, 'secrets') ? spec.secrets : [];
  const room = await vault.preflightRestore({
    target: spec.target,
    sizeBytes: chosen.sizeBytes,
    secrets,
    live: operation.into === 'live',
  });
  requireNoneSince(operation, lane, room.lastRestore);
  await vaultStream(0).checkBundles({ fleet, lane, ...chosen.copies, segments: chosen.segments, secrets });
  const plan: RestorePlan = {
    lane,
    host: spec.target.host.name,
    fromHost: chosen.origin.host === spec.target.host.name ? null : chosen.origin.host,
    bundle: chosen.bundle,
    tier: chosen.tier,
    proven: chosen.proven,
    sources: chosen.sources,
    store: chosen.copies.store,
    sizeBytes: chosen.sizeBytes,
    sealedBytes: chosen.sealedBytes,
    segments: chosen.segments.length,
    rpo: evidence.rpo,
    estimateMs: estimateRestoreMs(chosen.sizeBytes),
    openclawVersion: chosen.openclawVersion,
    liveOpenclawVersion: survey.openclawVersion,
    freeBytes: room.freeBytes,
    neededBytes: room.neededBytes,
    warnings: [...pinned, ...moved, ...chosen.warnings, ...survey.warnings, ...room.warnings],
  };
  evidence.warnings = plan.warnings;
  return { chosen, sources: new Sources(chosen.copies), plan };
}

/**
 * A lane that waited for its turn in a fleet run may have been restored by another run by now: what its agent has done
 * since is not set back a second time. One that was undone meanwhile has no later restore.
 */
function requireNoneSince({ lastRestore: seen }: Restore, lane: string, now: string | null): void {
  if (seen === undefined || now === null || now === seen) return;
  const message = `lane ${lane} was restored by ${now} since this run looked at it first; it is left as that one made it`;
  throw workflowFailure('RestoredMeanwhile', message, { lane });
}

/** Secrets alone, of a lane that lists none, would succeed with nothing. */
function requireItems({ spec }: Section, { only }: Restore): void {
  if (only !== 'secrets' || spec.secrets.length > 0) return;
  const message = `lane ${spec.lane} names no Keychain items (\`secrets\` in the fleet file): there are none to restore`;
  throw workflowFailure('InvalidInput', message, { lane: spec.lane, field: 'only' });
}

/** A live restore outside every profile's range needs the operator's word (design, "Terms", profile). */
function requireVersion(section: Section, operation: Restore, chosen: ChosenBundles, versionKnown: boolean): void {
  if (operation.into !== 'live' || operation.acceptVersion || operation.dryRun) return;
  if (chosen.profile !== section.spec.target.profile) {
    throw workflowFailure(
      'VersionUnsupported',
      `bundle ${chosen.bundle} is of profile ${chosen.profile}, lane ${section.spec.lane} is on ${section.spec.target.profile}`,
      { bundle: chosen.bundle },
    );
  }
  if (!versionKnown) {
    throw workflowFailure(
      'VersionUnsupported',
      `OpenClaw on lane ${section.spec.lane} is of a version outside the range of profile ${chosen.profile}`,
      { lane: section.spec.lane },
    );
  }
}

function answer(
  section: Section,
  clock: RestoreClock,
  done: Pick<RestoreResult, 'into' | 'messageAnswered' | 'bakEpoch' | 'checked' | 'warnings'> & {
    readonly plan: RestorePlan;
    readonly sources: Sources;
  },
): RestoreResult {
  return {
    lane: section.spec.lane,
    host: section.target.host.name,
    bundle: done.plan.bundle,
    into: done.into,
    plan: done.plan,
    stores: done.sources.stores,
    rtoMs: clock.rtoMs,
    rtoBudgetMs: clock.rtoBudgetMs,
    steps: clock.times(),
    rpo: done.plan.rpo,
    messageAnswered: done.messageAnswered,
    answeredAt: clock.answeredAt,
    overBudget: section.progress.overBudget,
    bakEpoch: done.bakEpoch,
    ...(done.checked === undefined ? {} : { checked: done.checked }),
    receipt: null,
    warnings: [...done.plan.warnings, ...fallenOver(done), ...done.warnings],
  };
}

/** Said where the operator looks last: part of it came from the other store than the plan named. */
function fallenOver({ plan, sources }: { readonly plan: RestorePlan; readonly sources: Sources }): string[] {
  return sources.stores
    .filter(({ store }) => store !== plan.store)
    .map(
      ({ store, segments }) => `${segments} segments came from store ${store}, for ${plan.store} could not give them`,
    );
}
