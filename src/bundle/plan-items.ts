// What a plan moves as a whole: one file, or all names of one inode. Sizes here are what a tar or range will hold.

import type { FileEntry } from '../domain/file-entry.ts';
import type { Component } from '../domain/terms.ts';
import { byteString } from './globs.ts';

export interface TakenEntry {
  readonly entry: FileEntry;
  readonly component: Component;
}

export interface PlanItem {
  readonly name: string;
  readonly component: Component;
  /** Sorted by name; more than one when they are hard links of one file. */
  readonly entries: readonly FileEntry[];
  readonly storedBytes: number;
}

/** More than half of it is holes: it is worth tar's sparse format, and no range can hold it. */
export function isSparse({ type, sizeBytes, allocatedBytes }: FileEntry): boolean {
  return type === 'file' && allocatedBytes * 2 < sizeBytes;
}

/** Bytes of a file's content as a tar holds it. */
export function storedBytes(entry: FileEntry): number {
  if (entry.type !== 'file') return 0;
  return isSparse(entry) ? entry.allocatedBytes : entry.sizeBytes;
}

/**
 * @param taken sorted by name
 * @param order which component a file goes to when its names lie in several: the first of them here
 * @returns items sorted by their first name
 */
export function itemsOf(taken: readonly TakenEntry[], order: readonly Component[]): PlanItem[] {
  const groups = new Map<string, TakenEntry[]>();
  for (const one of taken) {
    const id = identityOf(one.entry);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [one]);
    else group.push(one);
  }
  return [...groups.values()].map((group) => itemOf(group, order));
}

/** Names of one inode share it; a file with one link is known by its name. */
function identityOf({ path, links, type, device, inode }: FileEntry): string {
  return links > 1 && type !== 'directory' ? `inode ${device} ${inode}` : `name ${byteString(path)}`;
}

function itemOf(group: readonly TakenEntry[], order: readonly Component[]): PlanItem {
  const entries = group.map(({ entry }) => entry);
  const held = group.map(({ component }) => component);
  const [first] = entries as [FileEntry, ...FileEntry[]];
  const component = order.find((candidate) => held.includes(candidate)) as Component;
  return { name: byteString(first.path), component, entries, storedBytes: storedBytes(first) };
}
