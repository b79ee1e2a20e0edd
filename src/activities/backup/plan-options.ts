// What all plans of one backup have in common.

import type { PlanOptions } from '../../bundle/plan.ts';
import { recipientsDigest } from '../../bundle/seal.ts';
import type { PlanRequest } from '../../contract/step-types.ts';
import { limits } from '../../domain/limits.ts';
import { componentsOf } from '../../domain/terms.ts';
import type { Deps } from '../deps.ts';
import { requireProfile } from '../profiles.ts';

export type SharedOptions = Omit<PlanOptions, 'base'>;

/** @param listedAtMs by the host's clock, which the files' times are of */
export async function planOptions(deps: Deps, request: PlanRequest, listedAtMs: number): Promise<SharedOptions> {
  return {
    profile: requireProfile(request.target.profile),
    components: componentsOf(request.tier),
    exclude: request.exclude,
    listedAtMs,
    fingerprintKey: await deps.keys.fingerprint(),
    recipientsDigest: recipientsDigest(await deps.keys.recipients()),
    firstNumber: 1,
    segmentBytes: request.segmentBytes,
    maxSegments: limits.segmentsPerBundle,
    reuse: true,
    supplement: false,
  };
}
