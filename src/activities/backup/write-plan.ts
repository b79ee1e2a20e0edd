// A plan of the bundle room becomes lists on the lane and a summary for history.

import type { BundlePlan, PlannedSegment } from '../../bundle/plan.ts';
import type { OmissionCount, SegmentPlan } from '../../contract/results.ts';
import type { Fence } from '../../lane/fence.ts';
import { appendReport } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { writeMembers } from './member-lists.ts';

/** Writes the lists of all segments; their names go nowhere else. */
export async function writeSegmentLists(shell: LaneShell, bundle: string, segments: readonly PlannedSegment[], fence: Fence): Promise<SegmentPlan[]> {
  const plans: SegmentPlan[] = [];
  for (const segment of segments) plans.push(summary(segment, await writeMembers(shell, bundle, segment, fence)));
  return plans;
}

function summary({ members, range, ...segment }: PlannedSegment, listSha256: string): SegmentPlan {
  const { id, component, kind, base, fingerprint, reusable, supplement, sizeBytes } = segment;
  return { id, component, kind, base, fingerprint, reusable, supplement, sizeBytes, members: members.length, listSha256, ...(range ? { range } : {}) };
}

export function countOmissions(plans: readonly BundlePlan[]): OmissionCount[] {
  const counts = new Map<string, number>();
  for (const { reason } of plans.flatMap(({ omissions }) => omissions)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => ({ reason, count }));
}

/** What is left out stands by name in the report on the lane. */
export async function reportOmissions(shell: LaneShell, bundle: string, plans: readonly BundlePlan[]): Promise<void> {
  for (const { path, reason } of plans.flatMap(({ omissions }) => omissions).slice(0, reportedOmissions)) {
    await appendReport(shell, `${bundle} left out (${reason}): ${JSON.stringify(path.toString('utf8'))}`);
  }
}
/** The report is for people: a hundred names show what is going on. */
const reportedOmissions = 100;
