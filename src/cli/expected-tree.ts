// What a directory must hold to be a bundle's: the indexes of all its segments laid over each other, later ones last,
// as unpacking does. Names are byte strings (latin1).

import { byteString } from '../bundle/globs.ts';
import { type IndexEntry, linkOf, pathOf } from '../bundle/index-file.ts';
import type { ManifestSegment } from '../bundle/manifest.ts';
import { unpackOrder } from '../bundle/restore-plan.ts';
import type { OpenedBundle } from './opened-bundle.ts';
import { placeOf } from './unpack-bundle.ts';

export type Place = ReturnType<typeof placeOf>;

/** A piece of a file whose digest is known. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
  readonly sha256: string;
}

export interface Expected {
  readonly type: 'file' | 'directory' | 'symlink' | 'link';
  readonly mode: number;
  readonly sizeBytes: number;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  /** Bytes of a symlink's target; the name of the file that a hard link shares. */
  readonly link?: Buffer;
  /** Empty for a sparse file: its digest is of its map and data. */
  readonly pieces: readonly Piece[];
}

export interface ExpectedTree {
  readonly entries: ReadonlyMap<string, Expected>;
  /** What was left out on purpose, so that its presence is no difference. */
  readonly omitted: ReadonlySet<string>;
}

/** One tree for each place that the bundle has something in. */
export async function expectedTrees(bundle: OpenedBundle): Promise<Map<Place, ExpectedTree>> {
  const trees = new Map<Place, { entries: Map<string, Expected>; omitted: Set<string> }>();
  const { data, supplements, directories } = unpackOrder(bundle.manifest.segments);
  for (const segment of [...data, ...supplements, ...directories]) {
    const place = placeOf(segment.component);
    const tree = trees.get(place) ?? { entries: new Map(), omitted: new Set() };
    trees.set(place, tree);
    const { entries, omissions } = await bundle.index(segment);
    for (const entry of entries) lay(tree.entries, entry, segment);
    for (const { path } of omissions) tree.omitted.add(byteString(path));
  }
  return trees;
}

function lay(entries: Map<string, Expected>, entry: IndexEntry, segment: ManifestSegment): void {
  const name = byteString(pathOf(entry));
  const { type, mode, sizeBytes, mtime } = entry;
  const link = linkOf(entry);
  const before = entries.get(name);
  const kept =
    segment.range && before && before.sizeBytes === sizeBytes
      ? before.pieces.filter(({ offset }) => offset !== segment.range?.offset)
      : [];
  entries.set(name, {
    type,
    mode,
    sizeBytes,
    mtimeNs: BigInt(mtime),
    ...(link && { link }),
    pieces: [...kept, ...piecesOf(entry, segment)],
  });
}

function piecesOf({ sha256, sparse, sizeBytes }: IndexEntry, { range }: ManifestSegment): Piece[] {
  if (sha256 === undefined || sparse) return [];
  return [{ offset: range?.offset ?? 0, length: range?.length ?? sizeBytes, sha256 }];
}
