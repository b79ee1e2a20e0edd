// How placed members of an old script's archive become segments: all names of one file side by side, cuts in the
// archive's order, directories last. Pure.

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { type Component, components } from '../domain/terms.ts';
import { byteString } from './globs.ts';
import { encodeLink, encodeName, type IndexEntry, linkOf, pathOf } from './index-file.ts';
import type { OmissionReason } from './omission.ts';

/** What is written for one member of the archive: its content once, under the first of these names. */
export interface ArchiveUnit {
  /** The member whose content it is, counted from 0; undefined for a directory, which has none. */
  readonly at: number | undefined;
  readonly entries: readonly IndexEntry[];
}

export interface ArchiveSegment {
  readonly id: string;
  readonly component: Component;
  readonly kind: 'tar' | 'directories';
  readonly base: 'home' | 'host';
  readonly units: readonly ArchiveUnit[];
  readonly sizeBytes: number;
}

export interface Placed {
  readonly component: Component;
  readonly base: 'home' | 'host';
  /** Relative to the base. */
  readonly path: Buffer;
}

export type Place = Placed | { readonly reason: OmissionReason } | 'parent';

interface Unit extends ArchiveUnit {
  readonly component: Component;
  readonly base: 'home' | 'host';
  readonly storedBytes: number;
}

interface Units {
  readonly data: readonly Unit[];
  readonly directories: readonly Unit[];
}

/** The segments of one archive. @throws InvalidInput when there are too many */
export function cutArchive(
  entries: readonly IndexEntry[],
  places: readonly Place[],
  segmentBytes: number,
): ArchiveSegment[] {
  const cuts = cutSmallEnough(unitsOf(entries, places), segmentBytes);
  return cuts.map((cut, at) => ({ ...cut, id: `s-${String(at + 1).padStart(4, '0')}` }));
}

function unitsOf(entries: readonly IndexEntry[], places: readonly Place[]): Units {
  const first = new Map(entries.map((entry, at) => [byteString(pathOf(entry)), at] as const));
  const owner = (at: number): number => {
    const entry = entries[at];
    const link = entry?.type === 'link' ? linkOf(entry) : undefined;
    return link === undefined ? at : owner(first.get(byteString(link)) ?? -1);
  };
  const groups = new Map<number, Placed[]>();
  const directories: Unit[] = [];
  for (const [at, place] of places.entries()) {
    if (typeof place === 'string' || 'reason' in place) continue;
    const entry = entries[at] as IndexEntry;
    if (entry.type === 'directory') {
      if (place.base === 'home')
        directories.push({ ...place, at: undefined, entries: [renamed(entry, place)], storedBytes: 0 });
      continue;
    }
    const content = owner(at);
    groups.set(content, [...(groups.get(content) ?? []), place]);
  }
  const data = [...groups]
    .toSorted(([a], [b]) => a - b)
    .map(([at, names]) => unitOf(entries[at] as IndexEntry, at, names));
  return { data, directories };
}

function unitOf(content: IndexEntry, at: number, names: readonly Placed[]): Unit {
  const [main, ...others] = names as [Placed, ...Placed[]];
  const links = others.map((other): IndexEntry => {
    const { mode, mtime } = content;
    return { ...encodeName(other.path), type: 'link', mode, sizeBytes: 0, mtime, ...encodeLink(main.path) };
  });
  const component = components.find((one) => names.some((name) => name.component === one)) ?? main.component;
  return {
    at,
    component,
    base: main.base,
    entries: [renamed(content, main), ...links],
    storedBytes: content.sizeBytes,
  };
}

function renamed({ path: _path, pathBase64: _bytes, ...entry }: IndexEntry, { path }: Placed): IndexEntry {
  return { ...encodeName(path), ...entry };
}

type Cut = Omit<ArchiveSegment, 'id'>;

function cutSmallEnough(units: Units, segmentBytes: number): Cut[] {
  const totalBytes = units.data.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  for (let size = segmentBytes; ; size *= 2) {
    const segments = [...cutInOrder(units.data, 'tar', size), ...directorySegments(units.directories, size)];
    if (segments.length <= limits.segmentsPerBundle) return segments;
    if (size > totalBytes) {
      throw new Failure(
        'InvalidInput',
        `an archive falls into ${segments.length} parts, ${limits.segmentsPerBundle} are allowed`,
        {
          field: 'archive',
          count: segments.length,
        },
      );
    }
  }
}

/** Deepest first, for unpacking into a directory changes its time. */
function directorySegments(units: readonly Unit[], segmentBytes: number): Cut[] {
  const name = ({ entries: [entry] }: Unit): Buffer => pathOf(entry as IndexEntry);
  const sorted = units.toSorted((a, b) => Buffer.compare(name(b), name(a)));
  return components.flatMap((one) =>
    cutInOrder(
      sorted.filter(({ component }) => component === one),
      'directories',
      segmentBytes,
    ),
  );
}

function cutInOrder(units: readonly Unit[], kind: Cut['kind'], segmentBytes: number): Cut[] {
  const segments: {
    component: Component;
    kind: Cut['kind'];
    base: Cut['base'];
    units: Unit[];
    sizeBytes: number;
    members: number;
  }[] = [];
  for (const unit of units) {
    let last = segments.at(-1);
    const fits =
      last?.component === unit.component &&
      last.base === unit.base &&
      last.sizeBytes + unit.storedBytes <= segmentBytes &&
      last.members + unit.entries.length <= membersPerSegment;
    if (!last || !fits) {
      last = { component: unit.component, kind, base: unit.base, units: [], sizeBytes: 0, members: 0 };
      segments.push(last);
    }
    last.units.push(unit);
    last.sizeBytes += unit.storedBytes;
    last.members += unit.entries.length;
  }
  return segments.map(({ members: _, ...segment }) => segment);
}
/** As in a plan of a listing (plan-drafts.ts). */
const membersPerSegment = 65_536;
