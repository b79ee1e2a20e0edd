// Large files come as ranges: once all is staged, their size, mode and time are set. A file that was taken again, in a
// supplement, is what its last look says: an earlier size would cut it, or fill it up with zeros.

import { pathOf, type SegmentIndex } from '../../bundle/index-file.ts';
import type { Manifest, ManifestSegment } from '../../bundle/manifest.ts';
import type { ChosenSegment } from '../../contract/step-types.ts';
import type { VaultDataSteps } from '../../contract/steps.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { finishFiles } from '../../lane/ranges.ts';
import { fromCopies } from '../copied-store.ts';
import type { Deps } from '../deps.ts';
import { stagePlace } from '../lane-paths.ts';
import { readManifest } from '../manifests.ts';
import { activity, reach, type Run } from '../step.ts';
import { storedOf } from './open-stored.ts';
import { type RangeFile, rangeFile } from './range-file.ts';
import { stageBase } from './stage-segment.ts';

export function finishRangesStep(deps: Deps): VaultDataSteps['finishRanges'] {
  return activity(async (request, run) => {
    const shell = await reach(deps, request.target, run);
    await fromCopies(deps, request, (reading) => finishRanges(reading, shell, request, run));
  });
}

type Request = Parameters<VaultDataSteps['finishRanges']>[0];

async function finishRanges(
  deps: Deps,
  shell: LaneShell,
  { target, under, store, restore, segments }: Request,
  run: Run,
): Promise<void> {
  const about = { fleet: target.fleet, lane: target.lane, store, signal: run.signal };
  for (const bundle of new Set(segments.map((segment) => segment.bundle))) {
    const { manifest } = await readManifest(deps, { ...about, bundle });
    const looks: { entry: ManifestSegment; index: SegmentIndex }[] = [];
    for (const entry of looksAt(manifest, segments)) {
      const index = await storedOf(deps, { ...about, segment: { bundle, id: entry.id } }, manifest).index();
      looks.push({ entry, index });
    }
    for (const { entry, file } of lastRanges(looks)) {
      const { path, sizeBytes, mode, mtimeNs } = file;
      await finishFiles(shell, {
        base: stageBase(shell, { restore, segment: { ...entry, bundle } }),
        files: [{ path, sizeBytes, mode, mtimeNs }],
        fence: under,
      });
    }
  }
}

/** The ranges that were staged, and the supplements that may have taken a file's place since, in their order. */
function looksAt({ bundle, segments }: Manifest, staged: readonly ChosenSegment[]): ManifestSegment[] {
  const ranges = new Set(staged.filter((segment) => segment.bundle === bundle).map(({ id }) => id));
  const plain = segments.filter(({ id, supplement }) => ranges.has(id) && !supplement);
  const again = segments.filter(({ id, kind, supplement }) => supplement && (ranges.has(id) || kind === 'tar'));
  return [...plain, ...again];
}

export interface Look {
  readonly entry: Pick<ManifestSegment, 'component' | 'kind'>;
  readonly index: SegmentIndex;
}

/** Of each file its last look, where that is a range. */
export function lastRanges<L extends Look>(looks: readonly L[]): (L & { readonly file: RangeFile })[] {
  const last = new Map<string, L>();
  for (const look of looks) {
    for (const member of look.index.entries)
      last.set(`${stagePlace(look.entry.component)}/${pathOf(member).toString('latin1')}`, look);
  }
  const ranges = [...last.values()].filter(({ entry }) => entry.kind === 'range');
  return ranges.map((look) => ({ ...look, file: rangeFile(look.index) }));
}
