// Which segments a restore takes, in which order, and how much that is. Pure.

import { Failure } from '../domain/failure.ts';
import type { Component } from '../domain/terms.ts';
import { byteString } from './globs.ts';
import { type IndexEntry, linkOf, pathOf } from './index-file.ts';
import type { Manifest, ManifestSegment } from './manifest-schema.ts';
import { hostile } from './tar-header.ts';
import { type TreeMember, TreeRules } from './tree-rules.ts';

/** The segments of these components, in the manifest's order. NoRestorePoint when it holds none of them. */
export function selectSegments(manifest: Manifest, components: readonly Component[]): ManifestSegment[] {
  const chosen = manifest.segments.filter(({ component }) => components.includes(component));
  if (chosen.length > 0) return chosen;
  const message = `bundle ${manifest.bundle} holds nothing of ${components.join(', ')}`;
  throw new Failure('NoRestorePoint', message, { bundle: manifest.bundle });
}

type Ordered = Pick<ManifestSegment, 'id' | 'kind' | 'supplement'>;

export interface UnpackOrder<Segment> {
  /** In any order, in parallel. */
  readonly data: readonly Segment[];
  /** After all data, one after another: a later one replaces what an earlier one brought. */
  readonly supplements: readonly Segment[];
  /**
   * Last, one after another: they set modes and times of directories, which unpacking into them would change. Backwards,
   * for a segment's names come after those before it: what lies in a directory is made before its time is set.
   */
  readonly directories: readonly Segment[];
}

/** The order of unpacking; secrets are not unpacked and are left out. */
export function unpackOrder<Segment extends Ordered>(segments: readonly Segment[]): UnpackOrder<Segment> {
  const unpacked = segments.filter(({ kind }) => kind !== 'secrets').toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const directories = unpacked.filter(({ kind }) => kind === 'directories');
  const content = unpacked.filter(({ kind }) => kind !== 'directories');
  return {
    data: content.filter(({ supplement }) => !supplement),
    supplements: content.filter(({ supplement }) => supplement),
    directories: directories.toReversed().toSorted((a, b) => Number(a.supplement) - Number(b.supplement)),
  };
}

export interface RestoreEstimate {
  readonly segments: number;
  readonly members: number;
  /** Fetched from the store, indexes included. */
  readonly sealedBytes: number;
  /** Written on the lane, about: content and tar's headers. */
  readonly plainBytes: number;
}

export function estimate(
  segments: readonly Pick<ManifestSegment, 'members' | 'sealedBytes' | 'plainBytes' | 'index'>[],
): RestoreEstimate {
  const sum = (of: (segment: (typeof segments)[number]) => number): number =>
    segments.reduce((total, segment) => total + of(segment), 0);
  return {
    segments: segments.length,
    members: sum(({ members }) => members),
    sealedBytes: sum(({ sealedBytes, index }) => sealedBytes + index.sealedBytes),
    plainBytes: sum(({ plainBytes }) => plainBytes),
  };
}

export interface Supplement {
  readonly kind: ManifestSegment['kind'];
  readonly entries: readonly IndexEntry[];
}

/**
 * Checks that the segments of one tree fit together: no segment leads through a symlink that another brings.
 * @param trees the entries of each data segment and of the directories; without supplements, which repeat names
 * @param supplements what is unpacked later, in its order: it may take a name's place, but never lead through a link
 */
export function requireOneTree(
  trees: readonly (readonly IndexEntry[])[],
  supplements: readonly Supplement[] = [],
): void {
  const rules = new TreeRules();
  const files = new Set<string>();
  for (const entry of trees.flat()) {
    const member = memberOf(entry);
    if (files.has(member.name) && entry.type === 'file') continue; // ranges of one file
    const wrong = rules.add(member);
    if (wrong !== undefined) throw hostile(wrong);
    if (entry.type === 'file') files.add(member.name);
  }
  for (const { kind, entries } of supplements) {
    const faults = entries.map((entry) => rules.replace(memberOf(entry), kind === 'range' ? 'writes' : 'unlinks'));
    const wrong = faults.find((fault) => fault !== undefined);
    if (wrong !== undefined) throw hostile(wrong);
  }
}

function memberOf(entry: IndexEntry): TreeMember {
  const link = linkOf(entry);
  return { name: byteString(pathOf(entry)), type: entry.type, ...(link && { link: byteString(link) }) };
}

/** Checks that the ranges of each file lie side by side from its first byte to its last, and agree on what it is. */
export function requireWholeFiles(
  ranges: readonly { readonly entry: IndexEntry; readonly offset: number; readonly length: number }[],
): void {
  const files = Map.groupBy(ranges, ({ entry }) => byteString(pathOf(entry)));
  for (const pieces of files.values()) {
    const [{ entry: first }] = pieces as [(typeof ranges)[number]];
    const ends = pieces
      .toSorted((a, b) => a.offset - b.offset)
      .reduce((at, { offset, length }) => (offset === at ? at + length : Number.NaN), 0);
    const agree = pieces.every(
      ({ entry }) => entry.sizeBytes === first.sizeBytes && entry.mode === first.mode && entry.mtime === first.mtime,
    );
    if (ends !== first.sizeBytes || !agree)
      throw new Failure(
        'BundleDamaged',
        `the ${pieces.length} ranges of a file of ${first.sizeBytes} bytes do not make it up`,
      );
  }
}
