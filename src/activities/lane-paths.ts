// Where our own files lie on a lane, relative to `~/.clawback` or to the home. One place, so that backup,
// restore, settling and tidying agree.

import type { Component } from '../domain/terms.ts';

export const clawbackDirectory = '.clawback';

/** Where runs keep what they need only while they run. */
export const leftoverFolders = ['run', 'stage'] as const;

/** The lists and copies of one backup. */
export function runDirectory(bundle: string): string {
  return `run/${bundle}`;
}

export function memberList(bundle: string, segment: string): string {
  return `${runDirectory(bundle)}/${segment}.list`;
}

export function memberRecords(bundle: string, segment: string): string {
  return `${runDirectory(bundle)}/${segment}.records`;
}

/** What of a segment changed while it was read. */
export function tornRecords(bundle: string, segment: string): string {
  return `${runDirectory(bundle)}/${segment}.torn`;
}

export function copiesDirectory(bundle: string): string {
  return `${runDirectory(bundle)}/copies`;
}

/** The lane's files as they were while its gateway was suspended; only in bundles of consistency `cloned`. */
export function cloneDirectory(bundle: string): string {
  return `${runDirectory(bundle)}/clone`;
}

/** The staging tree of one restore. */
export function stageDirectory(restore: string): string {
  return `stage/${restore}`;
}

/** Where in the staging tree a component is unpacked: home files together, host files apart. */
export function stagePlace(component: Component): 'home' | 'plists' | 'logs' {
  if (component === 'plists') return 'plists';
  if (component === 'logs') return 'logs';
  return 'home';
}
