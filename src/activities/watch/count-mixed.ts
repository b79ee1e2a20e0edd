// The proof of a cross-write's recovery: no file of one lane belongs to, or is called like, the user of another.

import type { HostSteps } from '../../contract/steps.ts';
import { countMixedFiles, reportMixedFiles } from '../../lane/foreign-files.ts';
import type { Deps } from '../deps.ts';
import { placedSpecs } from '../host/placed.ts';
import { requireProfile } from '../profiles.ts';
import { activity, reach } from '../step.ts';

/** A million names of a cold cache. */
const seconds = 90;

export function countMixedStep(deps: Deps): HostSteps['countMixed'] {
  return activity(async ({ lanes }, run) => {
    const all = await placedSpecs(deps, deps.fleet.lanes);
    const wanted = all.filter(({ lane }) => lanes.includes(lane));
    return Promise.all(
      wanted.map(async ({ lane, target }) => {
        const others = all
          .filter((other) => other.lane !== lane && other.target.host.name === target.host.name)
          .map((other) => other.target.user);
        const shell = await reach(deps, target, run);
        const profile = requireProfile(target.profile);
        const count = await countMixedFiles(shell, profile, { others, seconds, signal: run.signal });
        if (count.owned + count.named > 0)
          await reportMixedFiles(shell, profile, { others, seconds, signal: run.signal });
        return { lane, ...count };
      }),
    );
  });
}
