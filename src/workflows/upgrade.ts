// A guarded upgrade: a tier B first, then the operator's hook, then an answered message. When the hook or the test fails,
// state and version pin go back together, by a live restore of that very bundle in the same section. The lock is held all
// along.

import { CancellationScope, CancelledFailure, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { Operation } from '../contract/inputs.ts';
import { queues } from '../contract/names.ts';
import type { BackupResult } from '../contract/results.ts';
import type { Survey } from '../contract/step-types.ts';
import type { UpgradeResult } from '../contract/upgrade.ts';
import type { FailureCode } from '../domain/failure.ts';
import { profileOf } from '../domain/profile.ts';
import { bundleIdOf } from '../domain/terms.ts';
import { isVersionWithin } from '../domain/version.ts';
import { backUp } from './backup.ts';
import { codeOf, messageOf, workflowFailure } from './failures.ts';
import { restore } from './restore.ts';
import { startAndTest } from './restore-live.ts';
import { diskWarning } from './restore-parts.ts';
import type { Section } from './section.ts';
import { hooks, host, hostDown } from './steps.ts';
import { hookKey, placeOf, requireHooks } from './version-pin.ts';

type Upgrade = Extract<Operation, { kind: 'upgrade' }>;

export async function upgrade(section: Section, operation: Upgrade): Promise<UpgradeResult> {
  const { spec, evidence } = section;
  const phase = 'checking host, hooks and workers';
  const { from, warnings } = await evidence.part({ step: 'check', phase }, () => check(section, operation));
  const whole = { lane: spec.lane, host: spec.target.host.name, from, dryRun: operation.dryRun, receipt: null };
  const { dryRun, bundle, to = null } = operation;
  if (dryRun) return { ...whole, to, bundle: null, messageAnswered: false, hookMs: 0, elapsedMs: 0, warnings };
  const backup = await evidence.part({ step: 'backup', phase: `bundle ${bundle} first` }, () =>
    backUp(section, { kind: 'backup', tier: 'B', bundle, streams: undefined }),
  );
  requireGood(section, backup);
  const done = await change(section, operation, from);
  const elapsedMs = Date.now() - section.startedMs;
  return { ...whole, ...done, bundle, elapsedMs, warnings: [...warnings, ...backup.warnings, ...done.warnings] };
}

/** All that can be refused is refused here, the way back included. */
async function check(section: Section, { to, acceptVersion }: Upgrade): Promise<{ from: string; warnings: string[] }> {
  const { spec, progress, evidence } = section;
  progress.update({ phase: 'checking host, hooks and workers' });
  await host.requirePollers({ queues: Object.values(queues) });
  await requireHooks(section, ['upgrade', 'pin']);
  const survey = await host.surveyLane({ target: spec.target });
  evidence.survey = survey;
  if (to !== undefined && !acceptVersion) requireWithin(section, to);
  if (survey.openclawVersion === null) {
    const message = `OpenClaw on lane ${spec.lane} tells no version, so that there is none to go back to`;
    throw workflowFailure('VersionUnsupported', message, { lane: spec.lane });
  }
  return { from: survey.openclawVersion, warnings: [...survey.warnings] };
}

/** What cannot be restored without a second thought is not upgraded to. */
function requireWithin({ spec }: Section, version: string): void {
  const profile = profileOf(spec.profile);
  if (!profile || isVersionWithin(version, profile.versions)) return;
  const { id, versions } = profile;
  const message = `OpenClaw ${version} is outside profile ${id} (${versions.from} up to, not with, ${versions.below}), so that lane ${spec.lane} could not be restored as a matter of course`;
  throw workflowFailure('VersionUnsupported', message, { lane: spec.lane });
}

function requireGood({ spec }: Section, { bundle, suspect }: BackupResult): void {
  if (suspect.length === 0) return;
  const message = `lane ${spec.lane} was not upgraded: the bundle ${bundle} that was taken first is suspect (${suspect.join('; ')})`;
  throw workflowFailure('UpgradeFailed', message, { lane: spec.lane, bundle });
}

type Done = Pick<UpgradeResult, 'to' | 'messageAnswered' | 'hookMs' | 'warnings'>;

async function change(section: Section, operation: Upgrade, from: string): Promise<Done> {
  const { evidence } = section;
  // from the next call on the lane may be changed
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled before the upgrade began');
  evidence.upgrading = true;
  const startedMs = Date.now();
  try {
    const survey = await evidence.part({ step: 'upgrade', phase: 'upgrading' }, () =>
      runUpgrade(section, operation, from),
    );
    const hookMs = Date.now() - startedMs;
    section.progress.update({ phase: 'starting and testing' });
    const smoke = await evidence.part({ step: 'smoke', phase: 'starting and testing' }, () => startAndTest(section));
    evidence.messageAnswered = true;
    const same =
      survey.openclawVersion === from ? [`OpenClaw is ${from} as before: the upgrade hook changed no version`] : [];
    const warnings = [...same, ...survey.warnings, ...diskWarning(smoke.diskUsedRatio)];
    return { to: survey.openclawVersion, messageAnswered: true, hookMs, warnings };
  } catch (error) {
    throw await CancellationScope.nonCancellable(() => goBack(section, operation, from, error));
  }
}

/** The hook's word is not taken for it: the host is asked. */
async function runUpgrade(section: Section, operation: Upgrade, from: string): Promise<Survey> {
  const { spec, progress } = section;
  const { bundle, to = null, acceptVersion } = operation;
  progress.update({ phase: `upgrading OpenClaw from ${from}` });
  const answer = await hooks.runHook({
    hook: 'upgrade',
    fleetDigest: spec.fleetDigest,
    key: hookKey(bundle, 'upgrade'),
    input: { ...placeOf(section), from, to },
  });
  const survey = await hostDown.surveyLane({ target: spec.target });
  const wanted = to ?? answer.version ?? survey.openclawVersion;
  if (survey.openclawVersion === null || survey.openclawVersion !== wanted) {
    const message = `OpenClaw on lane ${spec.lane} is ${survey.openclawVersion ?? 'of no version that it tells'} after the upgrade hook, not ${wanted ?? 'another'}`;
    throw workflowFailure('HookFailed', message, { lane: spec.lane, field: 'hooks.upgrade' });
  }
  if (!acceptVersion) requireWithin(section, survey.openclawVersion);
  return survey;
}

/** The hook was not even called. */
const notBegun: readonly (FailureCode | undefined)[] = [
  'HookMissing',
  'FleetChanged',
  'SecretUnavailable',
  'InvalidInput',
];

/** The failure to end with, once state and version are back, or that they are not. */
async function goBack(section: Section, { bundle }: Upgrade, from: string, cause: unknown): Promise<unknown> {
  if (notBegun.includes(codeOf(cause))) {
    section.evidence.upgrading = false;
    return cause;
  }
  const { lane } = section.spec;
  const why = isCancellation(cause)
    ? `the upgrade of lane ${lane} was cancelled`
    : `the upgrade of lane ${lane} failed: ${codeOf(cause) ?? 'Unexpected'} ${messageOf(cause)}`;
  const since = Date.now();
  try {
    await restore(section, wayBack(bundleIdOf(since, workflowInfo().runId), bundle), since);
  } catch (error) {
    const told = `${why}; AND THE WAY BACK FAILED: ${codeOf(error) ?? 'Unexpected'} ${messageOf(error)}. \`./clawback restore ${lane} --bundle ${bundle} --pin\` tries it again`;
    return workflowFailure('UpgradeFailed', told, { lane, bundle });
  }
  if (isCancellation(cause)) return cause;
  return workflowFailure(
    'UpgradeFailed',
    `${why}; rolled back to OpenClaw ${from} and bundle ${bundle}, gateway answers`,
    {
      lane,
      bundle,
    },
  );
}

/** The restore of what was before an upgrade, the upgraded gateway stopped first. */
export function wayBack(run: string, bundle: string): Extract<Operation, { kind: 'restore' }> {
  const choice = { bundle, layered: false, acceptVersion: true, pin: true, stopFirst: true };
  return { kind: 'restore', restore: run, ...choice, into: 'live', dryRun: false };
}
