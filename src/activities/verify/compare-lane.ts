// What a verification does on the lane itself: files that lie there as they did when they were saved (size and time) must
// still have the bytes of the bundle's index; and the names that are affected by what is wrong go into the lane's own report,
// for they never leave it. Nothing else is written there. A lane that does not answer is told, no failure.

import { pathOf, type SegmentIndex } from '../../bundle/index-file.ts';
import type { Manifest } from '../../bundle/manifest.ts';
import type { ObjectFault } from '../../contract/results.ts';
import type { VaultDataSteps } from '../../contract/steps.ts';
import type { CompareRequest, InStore, LaneComparison, UncheckedDatabase } from '../../contract/verify.ts';
import { Failure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { appendReport } from '../../lane/lane-files.ts';
import type { Deps } from '../deps.ts';
import { isNoAnswer } from '../host/no-answer.ts';
import { readManifest } from '../manifests.ts';
import { storedOf } from '../restore/open-stored.ts';
import { activity, reach, type Run } from '../step.ts';
import { compareSegments, quoted } from './compare-files.ts';

export function compareLaneStep(deps: Deps): VaultDataSteps['compareLane'] {
  return activity(async ({ target, bundle, segments, faults, unchecked, ...place }, run) => {
    const { lane, store } = place;
    const told = [
      ...(await namesOf(deps, place, faults, run)),
      ...(await uncheckedNames(deps, place, unchecked, run)),
    ].slice(0, limits.reportLines - 1);
    const indexes = bundle === null ? [] : await indexesOf(deps, { ...place, bundle, segments }, run);
    try {
      const shell = await reach(deps, target, run);
      if (told.length > 0) await appendReport(shell, `verification of ${lane} in ${store}:`, ...told);
      if (bundle === null) return untold('skipped');
      return { state: 'compared', ...(await compareSegments(shell, bundle, indexes, run)) };
    } catch (error) {
      if (!isNoAnswer(error)) throw error;
      return untold('silent');
    }
  });
}

function untold(state: 'skipped' | 'silent'): LaneComparison {
  return { state, compared: 0, changed: 0, different: 0 };
}

/** Why an index cannot be read: verifySegments names it by its segment, and names of files it gives none. */
function isUnreadable(error: unknown): boolean {
  return (
    error instanceof Failure &&
    ['BundleDamaged', 'BundleFormatUnknown', 'ObjectMissing', 'BundleKeyWrong'].includes(error.code)
  );
}

interface Wanted extends Pick<Run, 'signal'> {
  readonly id: string;
}

/** Undefined when the index itself cannot be read. */
async function readIndex(
  deps: Deps,
  place: InStore,
  manifest: Manifest,
  wanted: Wanted,
): Promise<SegmentIndex | undefined> {
  try {
    const { id, signal } = wanted;
    const segment = { bundle: manifest.bundle, id };
    return await storedOf(deps, { ...place, segment, signal }, manifest).index();
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** Members of what is wrong, as lines of the report: as many as it takes. A secrets segment names no file. */
async function namesOf(deps: Deps, place: InStore, faults: readonly ObjectFault[], run: Run): Promise<string[]> {
  const lines: string[] = [];
  for (const { bundle, segment, object, what } of faults) {
    if (segment === undefined || lines.length >= limits.reportLines) continue;
    const { manifest } = await readManifest(deps, { ...place, bundle, signal: run.signal });
    const about = `${bundle} ${segment}: its ${object} is ${what}`;
    const kind = manifest.segments.find(({ id }) => id === segment)?.kind;
    const wanted = { id: segment, signal: run.signal };
    const index = kind === 'secrets' ? undefined : await readIndex(deps, place, manifest, wanted);
    const names = (index?.entries ?? [])
      .filter(({ type }) => type !== 'directory')
      .map((entry) => `, affects ${quoted(pathOf(entry))}`);
    lines.push(...(names.length > 0 ? names : ['']).map((name) => about + name));
  }
  return lines;
}

/** Databases for which there was no room, by the lane's own names of them. */
async function uncheckedNames(
  deps: Deps,
  place: InStore,
  unchecked: readonly UncheckedDatabase[],
  run: Run,
): Promise<string[]> {
  const lines: string[] = [];
  for (const { bundle, segment, sizeBytes } of unchecked) {
    const { manifest } = await readManifest(deps, { ...place, bundle, signal: run.signal });
    const index = await readIndex(deps, place, manifest, { id: segment, signal: run.signal });
    const entries = index?.entries ?? [];
    const names = entries.filter((entry) => entry.sizeBytes === sizeBytes).map((entry) => quoted(pathOf(entry)));
    lines.push(`${bundle} ${segment}: a database of ${sizeBytes} bytes was not checked, ${names.join(' or ')}`);
  }
  return lines;
}

/** One that cannot be read is left out: verifySegments names it. */
async function indexesOf(
  deps: Deps,
  { segments, ...place }: InStore & Pick<CompareRequest, 'segments'> & { readonly bundle: string },
  { signal }: Run,
): Promise<SegmentIndex[]> {
  const { manifest } = await readManifest(deps, { ...place, signal });
  const indexes: SegmentIndex[] = [];
  for (const id of segments) {
    const index = await readIndex(deps, place, manifest, { id, signal });
    if (index !== undefined) indexes.push(index);
  }
  return indexes;
}
