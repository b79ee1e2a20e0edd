import type { SegmentPlan } from '../../contract/results.ts';
import type { Consistency } from '../../contract/step-types.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { cloneDirectory, copiesDirectory } from '../lane-paths.ts';

export interface BaseOf {
  readonly bundle: string;
  readonly base: SegmentPlan['base'];
  readonly consistency: Consistency;
}

/** The directory that a segment's members are read from, absolute on the lane: their names are relative to it. */
export function segmentBase(shell: LaneShell, { bundle, base, consistency }: BaseOf): string {
  if (base === 'host') return shell.target.host.root;
  if (base === 'copies') return shell.clawbackPath(copiesDirectory(bundle));
  return consistency === 'cloned' ? shell.clawbackPath(cloneDirectory(bundle)) : shell.target.home;
}
