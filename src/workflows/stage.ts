// Fills the staging tree of a restore: segments in parallel, then supplements in their order, then the sizes
// and times of files that came as ranges, and directories last, so that their modes and times hold: the deepest first,
// for a directory that is made changes its parent's time.

import { CancellationScope } from '@temporalio/workflow';
import type { ChosenSegment, Fence } from '../contract/step-types.ts';
import { formatBytes } from '../domain/quantity.ts';
import { inParallel } from './in-parallel.ts';
import type { Planned } from './restore-parts.ts';
import type { Section } from './section.ts';
import { host, hostDown, vaultStream } from './steps.ts';

/** The fence under which the tree was filled. */
export async function fillStage(
  section: Section,
  restore: string,
  { chosen, sources, plan: { neededBytes } }: Planned,
): Promise<Fence> {
  const { spec, progress } = section;
  const segments = chosen.segments.filter((segment) => segment.kind !== 'secrets');
  progress.update({ segmentsTotal: segments.length, segmentsDone: 0, bytesTotal: chosen.sizeBytes, bytesDone: 0 });
  section.staged = restore;
  // nothing gives up for want of a worker once the gateway is down
  const steps = section.journalled ? hostDown : host;
  const under = await steps.openStage({ ...section.mutating(), restore, neededBytes });
  const stage = async (segment: ChosenSegment): Promise<void> => {
    const what = `${segment.id} ${segment.component}, ${formatBytes(segment.plainBytes)}`;
    const { store } = await vaultStream(segment.plainBytes, what).stageSegment({
      target: spec.target,
      under,
      ...sources.copies,
      restore,
      segment,
    });
    sources.gave(store);
    progress.advance(segment.plainBytes);
  };
  const data = segments.filter((segment) => segment.kind !== 'directories');
  await inParallel(
    data.filter((segment) => !segment.supplement),
    spec.limits.streams,
    stage,
  );
  await inParallel(
    data.filter((segment) => segment.supplement),
    1,
    stage,
  );
  const ranges = data.filter((segment) => segment.kind === 'range');
  if (ranges.length > 0)
    await vaultStream(0).finishRanges({ target: spec.target, under, ...sources.copies, restore, segments: ranges });
  if (chosen.imported)
    await vaultStream(chosen.sizeBytes, 'databases').checkDatabases({ target: spec.target, under, restore });
  await inParallel(segments.filter((segment) => segment.kind === 'directories').toReversed(), 1, stage);
  return under;
}

/**
 * Removes the staging tree, if there may be one. It cannot be cancelled; a host that does not answer is tried for some
 * minutes, no longer, for neither a finished restore nor a failed one may wait for ever for a tidy lane.
 */
export async function dropStage(section: Section): Promise<void> {
  const run = section.staged;
  if (run === undefined) return;
  section.staged = undefined;
  await CancellationScope.nonCancellable(() => hostDown.tidyLane({ ...section.mutating(), run }));
}
