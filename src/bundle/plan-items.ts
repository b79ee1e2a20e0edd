// What a plan moves as a whole: one file, or all names of one inode. Sizes here are what a tar or range will hold.

import { hash } from 'node:crypto';
import type { FileEntry } from '../domain/file-entry.ts';
import type { Component } from '../domain/terms.ts';
import { eachOf, type Steps } from './slices.ts';

export interface TakenEntry {
  readonly entry: FileEntry;
  readonly component: Component;
}

export interface PlanItem {
  readonly component: Component;
  /** Sorted by name; more than one when they are hard links of one file. */
  readonly entries: readonly FileEntry[];
  readonly storedBytes: number;
  /** Uniform in [0, 1), by the first name: where cuts fall. */
  readonly draw: number;
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
export function* itemsOf(taken: readonly TakenEntry[], order: readonly Component[]): Steps<PlanItem[]> {
  const groups: TakenEntry[][] = [];
  const linked = new Map<string, TakenEntry[]>();
  yield* eachOf(taken, (one) => {
    const inode = sharedInode(one.entry);
    const group = inode === undefined ? undefined : linked.get(inode);
    if (group !== undefined) {
      group.push(one);
      return;
    }
    const fresh = [one];
    groups.push(fresh);
    if (inode !== undefined) linked.set(inode, fresh);
  });
  const items: PlanItem[] = [];
  yield* eachOf(groups, (group) => void items.push(itemOf(group, order)));
  return items;
}

/** Names that lie with another component than their own, for a name of the same file lies there. */
export function countGuests(taken: readonly TakenEntry[], order: readonly Component[]): number {
  const hosts = new Map<string, Component>();
  const shared = taken.flatMap(({ entry, component }) => {
    const inode = sharedInode(entry);
    return inode === undefined ? [] : [{ inode, component }];
  });
  for (const { inode, component } of shared) {
    const host = hosts.get(inode);
    if (host === undefined || order.indexOf(component) < order.indexOf(host)) hosts.set(inode, component);
  }
  return shared.filter(({ inode, component }) => hosts.get(inode) !== component).length;
}

function sharedInode({ links, type, device, inode }: FileEntry): string | undefined {
  return links > 1 && type !== 'directory' ? `${device} ${inode}` : undefined;
}

function itemOf(group: readonly TakenEntry[], order: readonly Component[]): PlanItem {
  const [first, ...others] = group as [TakenEntry, ...TakenEntry[]];
  const entries = group.map(({ entry }) => entry);
  const held = new Set(group.map(({ component }) => component));
  const component =
    others.length === 0 ? first.component : (order.find((candidate) => held.has(candidate)) ?? first.component);
  return { component, entries, storedBytes: storedBytes(first.entry), draw: drawOf(first.entry.path) };
}

/** The first 48 bits of SHA-256 as a fraction. */
function drawOf(name: Buffer): number {
  return hash('sha256', name, 'buffer').readUIntBE(0, 6) / 2 ** 48;
}
