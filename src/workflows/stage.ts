// Fills the staging tree of a restore: segments in parallel, then supplements in their order, then the sizes
// and times of files that came as ranges, and directories last, so that their modes and times hold.

import type { ChosenBundles, ChosenSegment, Fence } from '../contract/steps.ts';
import { inParallel } from './in-parallel.ts';
import type { Section } from './section.ts';
import { hostAlways, host, vaultStream } from './steps.ts';
import { CancellationScope } from '@temporalio/workflow';


/** The fence under which the tree was filled. */
export async function fillStage(
  section: Section,
  restore: string,
  chosen: ChosenBundles,
  neededBytes: number,
): Promise<Fence> {
  const { spec, progress } = section;
  const segments = chosen.segments.filter((segment) => segment.kind !== 'secrets');
  progress.update({ segmentsTotal: segments.length, segmentsDone: 0, bytesTotal: chosen.sizeBytes, bytesDone: 0 });
  const under = await host.openStage({ ...section.mutating(), restore, neededBytes });
  const stage = async (segment: ChosenSegment): Promise<void> => {
    await vaultStream(segment.plainBytes).stageSegment({
      target: spec.target,
      under,
      store: spec.store,
      restore,
      segment,
    });
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
    await vaultStream(0).finishRanges({ target: spec.target, under, store: spec.store, restore, segments: ranges });
  await inParallel(
    segments.filter((segment) => segment.kind === 'directories'),
    1,
    stage,
  );
  return under;
}

/** Removes the staging tree; it cannot be cancelled, and tells when it fails. */
export async function dropStage(section: Section, restore: string): Promise<void> {
  await CancellationScope.nonCancellable(() => hostAlways.tidyLane({ ...section.mutating(), run: restore }));
}
