// A plan of the bundle room becomes lists on the lane and a summary for history.

import { setImmediate as breathe } from 'node:timers/promises';
import { linkedElsewhere, type OmissionReason } from '../../bundle/omission.ts';
import type { BundlePlan, PlannedSegment } from '../../bundle/plan.ts';
import type { OmissionCount, SegmentPlan } from '../../contract/results.ts';
import type { Fence } from '../../lane/fence.ts';
import { appendReport } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { memberFiles, writeRunFiles } from './member-lists.ts';

/** Writes the lists of all segments; their names go nowhere else. */
export async function writeSegmentLists(
  shell: LaneShell,
  bundle: string,
  segments: readonly PlannedSegment[],
  fence: Fence,
): Promise<SegmentPlan[]> {
  const lists = [];
  for (const segment of segments) {
    lists.push({ segment, ...memberFiles(segment) });
    await breathe(); // half a million records take seconds
  }
  if (lists.length > 0)
    await writeRunFiles(
      shell,
      bundle,
      lists.flatMap(({ files }) => files),
      fence,
    );
  return lists.map(({ segment, sha256 }) => summary(segment, sha256));
}

function summary({ members, range, ...segment }: PlannedSegment, listSha256: string): SegmentPlan {
  const { id, component, kind, base, fingerprint, reusable, supplement, sizeBytes } = segment;
  return {
    id,
    component,
    kind,
    base,
    fingerprint,
    reusable,
    supplement,
    sizeBytes,
    members: members.length,
    listSha256,
    ...(range ? { range } : {}),
  };
}

/** Omissions by reason; and, as one of them, what a restore of one component alone would leave out. */
export function countOmissions(plans: readonly BundlePlan[]): OmissionCount[] {
  const counts = new Map<string, number>();
  for (const { reason } of plans.flatMap(({ omissions }) => omissions))
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const linked = plans.reduce((sum, plan) => sum + plan.linkedElsewhere, 0);
  if (linked > 0) counts.set(linkedElsewhere, linked);
  return [...counts].map(([reason, count]) => ({ reason, count }));
}

/** What could not be taken, for a tar cannot hold it, stands by name in the report on the lane. */
export async function reportOmissions(shell: LaneShell, bundle: string, plans: readonly BundlePlan[]): Promise<void> {
  const told = plans
    .flatMap(({ omissions }) => omissions)
    .filter(({ reason }) => remarkable.has(reason))
    .slice(0, reportedOmissions);
  if (told.length === 0) return;
  await appendReport(
    shell,
    ...told.map(({ path, reason }) => `${bundle} left out (${reason}): ${JSON.stringify(path.toString('utf8'))}`),
  );
}
/** The other reasons are rules of profile and fleet file: the manifest counts them, and names would only bury these. */
const remarkable: ReadonlySet<OmissionReason> = new Set(['socket', 'fifo', 'device', 'too-large-for-tier-a']);
/** The report is for people: a hundred names show what is going on. */
const reportedOmissions = 100;
