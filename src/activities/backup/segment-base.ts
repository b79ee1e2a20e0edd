import type { SegmentPlan } from '../../contract/results.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { clawbackDirectory, copiesDirectory } from '../lane-paths.ts';

/** The directory that a segment's member names are relative to, absolute on the lane. */
export function segmentBase(shell: LaneShell, bundle: string, base: SegmentPlan['base']): string {
  if (base === 'home') return shell.target.home;
  if (base === 'host') return shell.target.host.root;
  return `${shell.target.home}/${clawbackDirectory}/${copiesDirectory(bundle)}`;
}
