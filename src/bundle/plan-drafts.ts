// Segments before they have numbers and fingerprints: what is a range, what is cut into tars, and how large they are.
// Pure.

import type { FileEntry } from '../domain/file-entry.ts';
import { type Component, components } from '../domain/terms.ts';
import { cutItems } from './cut.ts';
import type { SegmentKind, SegmentRange } from './fingerprint.ts';
import { isSparse, itemsOf, type PlanItem, type TakenEntry } from './plan-items.ts';
import type { Steps } from './slices.ts';

export interface SegmentDraft {
  readonly component: Component;
  readonly kind: SegmentKind;
  readonly members: readonly FileEntry[];
  readonly range?: SegmentRange;
  readonly sizeBytes: number;
}

export interface DraftOptions {
  readonly segmentBytes: number;
  readonly maxSegments: number;
  readonly wholeAsRange?: boolean;
}

/**
 * The segments of one listing: data by component, then directories. They double until they are few enough, or cannot
 * become fewer.
 */
export function* draftSegments(taken: readonly TakenEntry[], options: DraftOptions): Steps<SegmentDraft[]> {
  const files = yield* itemsOf(
    taken.filter(({ entry }) => entry.type !== 'directory'),
    components,
  );
  const directories = yield* itemsOf(
    taken.filter(({ entry }) => entry.type === 'directory'),
    components,
  );
  const largest =
    files.reduce((sum, { storedBytes }) => sum + storedBytes, 0) + taken.length * overhead(options.segmentBytes);
  let segmentBytes = options.segmentBytes;
  let drafts = yield* draftAll(files, directories, segmentBytes, options);
  while (drafts.length > options.maxSegments && segmentBytes < 2 * largest) {
    segmentBytes *= 2;
    drafts = yield* draftAll(files, directories, segmentBytes, options);
  }
  return drafts;
}

function* draftAll(
  files: readonly PlanItem[],
  directories: readonly PlanItem[],
  segmentBytes: number,
  options: DraftOptions,
): Steps<SegmentDraft[]> {
  const data: SegmentDraft[] = [];
  const last: SegmentDraft[] = [];
  for (const component of components) {
    const own = (item: PlanItem): boolean => item.component === component;
    data.push(...dataDrafts(files.filter(own), component, segmentBytes, options));
    yield;
    last.push(...tarDrafts(directories.filter(own), component, 'directories', segmentBytes));
    yield;
  }
  return [...data, ...last];
}

function dataDrafts(
  items: readonly PlanItem[],
  component: Component,
  segmentBytes: number,
  options: DraftOptions,
): SegmentDraft[] {
  const asRange = (item: PlanItem): boolean => isRange(item, segmentBytes, options);
  const ranges = items.filter(asRange).flatMap((item) => rangeDrafts(item, component, segmentBytes));
  return [
    ...tarDrafts(
      items.filter((item) => !asRange(item)),
      component,
      'tar',
      segmentBytes,
    ),
    ...ranges,
  ];
}

/** Hard links and sparse files stay in a tar, which alone can say what they are. */
function isRange(
  { entries, storedBytes }: PlanItem,
  segmentBytes: number,
  { wholeAsRange = false }: DraftOptions,
): boolean {
  const [file] = entries;
  if (file === undefined || file.type !== 'file') return false;
  if (wholeAsRange) return true;
  return entries.length === 1 && !isSparse(file) && storedBytes > segmentBytes;
}

function rangeDrafts({ entries }: PlanItem, component: Component, segmentBytes: number): SegmentDraft[] {
  return entries.flatMap((file) =>
    rangesOf(file.sizeBytes, segmentBytes).map((range) => ({
      component,
      kind: 'range' as const,
      members: [file],
      range,
      sizeBytes: range.length,
    })),
  );
}

/** Offsets are multiples of the segment's size; an empty file is one empty range. */
function rangesOf(sizeBytes: number, segmentBytes: number): SegmentRange[] {
  const count = Math.max(1, Math.ceil(sizeBytes / segmentBytes));
  return Array.from({ length: count }, (_, at) => {
    const offset = at * segmentBytes;
    return { offset, length: Math.min(segmentBytes, sizeBytes - offset) };
  });
}

function tarDrafts(
  items: readonly PlanItem[],
  component: Component,
  kind: 'tar' | 'directories',
  segmentBytes: number,
): SegmentDraft[] {
  const weighed = items.map((item) => ({
    ...item,
    weight: item.storedBytes + item.entries.length * overhead(segmentBytes),
  }));
  return cutItems(weighed, segmentBytes).map((segment) => ({
    component,
    kind,
    members: inOrder(
      segment.flatMap(({ entries }) => entries),
      kind,
    ),
    sizeBytes: segment.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
  }));
}

/** Directories deepest first: bsdtar sets a present directory's time at once, and making another in it changes it again. */
function inOrder(members: readonly FileEntry[], kind: 'tar' | 'directories'): FileEntry[] {
  const sorted = members.toSorted(byName);
  return kind === 'directories' ? sorted.toReversed() : sorted;
}

function byName(a: FileEntry, b: FileEntry): number {
  return Buffer.compare(a.path, b.path);
}

/** What a member weighs beside its content: 4 KiB at 256 MiB, so that a segment has at most 65,536 members. */
function overhead(segmentBytes: number): number {
  return segmentBytes / membersWeight;
}
/** Below limits.membersPerSegment (100,000), and a power of two: exact in floating point. */
const membersWeight = 65_536;
