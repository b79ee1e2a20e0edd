// A first look at the host: it answers, the tools are there, sudo works, and which OpenClaw runs.

import type { Survey } from '../../contract/step-types.ts';
import type { HostSteps } from '../../contract/steps.ts';
import { limits } from '../../domain/limits.ts';
import type { Profile } from '../../domain/profile.ts';
import { isVersionWithin } from '../../domain/version.ts';
import { surveyLane } from '../../lane/survey.ts';
import type { Deps } from '../deps.ts';
import { requireProfile } from '../profiles.ts';
import { activity, reach } from '../step.ts';

export function surveyLaneStep(deps: Deps): HostSteps['surveyLane'] {
  return activity(async ({ target }, run) => {
    const profile = requireProfile(target.profile);
    const seen = await surveyLane(await reach(deps, target, run), profile);
    const openclawVersion = seen.openclawVersion ?? null;
    const versionKnown = openclawVersion === null || isVersionWithin(openclawVersion, profile.versions);
    return {
      openclawVersion,
      os: `${seen.os.name} ${seen.os.version}`,
      timeZone: seen.timeZone,
      clockOffsetMs: seen.clockOffsetMs,
      freeBytes: seen.homeFree.freeBytes,
      totalBytes: seen.homeFree.totalBytes,
      versionKnown,
      warnings: warningsOf({ openclawVersion, versionKnown, clockOffsetMs: seen.clockOffsetMs }, profile),
    };
  });
}

function warningsOf(
  { openclawVersion, versionKnown, clockOffsetMs }: Pick<Survey, 'openclawVersion' | 'versionKnown' | 'clockOffsetMs'>,
  profile: Profile,
): string[] {
  const warnings: string[] = [];
  if (!versionKnown) {
    const { from, below } = profile.versions;
    warnings.push(
      `OpenClaw ${openclawVersion} is outside profile ${profile.id} (${from} up to, not with, ${below}): backed up whole; a live restore needs --accept-version`,
    );
  }
  if (Math.abs(clockOffsetMs) > limits.clockOffsetMs)
    warnings.push(`the host's clock is ${Math.round(clockOffsetMs / 1000)} s off the worker's`);
  return warnings;
}
