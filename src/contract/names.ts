// Names that are API: workflows, queues, ids, queries and search attributes. Renamed only with a patch.

import { defineSearchAttributeKey } from '@temporalio/common';

export const workflowNames = {
  backupLane: 'backupLane',
  restoreLane: 'restoreLane',
  backupFleet: 'backupFleet',
  restoreFleet: 'restoreFleet',
  laneSection: 'laneSection',
  sweepStore: 'sweepStore',
  replicateBundle: 'replicateBundle',
  importArchive: 'importArchive',
  verifyBundle: 'verifyBundle',
  expireBundles: 'expireBundles',
  watchFleet: 'watchFleet',
} as const;

/** Task queues, by what their workers may touch (design, "Shape"). */
export const queues = {
  /** Workflows and short host steps: many slots; the SSH key. */
  host: 'clawback',
  /** Backup streams: slots = cores; SSH, public keys, store put and list. */
  data: 'clawback-data',
  /** Rehydrate, sweep, newest manifest: many slots; the opening key. */
  vault: 'clawback-vault',
  /** Fetch, stage, verify: slots = cores; the opening key. */
  vaultData: 'clawback-vault-data',
} as const;

export type QueueRole = keyof typeof queues;
export const queueRoles = Object.keys(queues) as readonly QueueRole[];

/** The critical section of a lane: Temporal's unique workflow id is the lock. */
export function laneSectionId(fleet: string, lane: string): string {
  return `lane/${fleet}/${lane}`;
}

/** The schedule that settles lanes whose section died. */
export function watchScheduleId(fleet: string): string {
  return `clawback/${fleet}/watch`;
}

/** Few, and fixed from the first day; registered when a worker starts. */
export const searchAttributes = {
  host: defineSearchAttributeKey('ClawbackHost', 'KEYWORD'),
  lane: defineSearchAttributeKey('ClawbackLane', 'KEYWORD'),
  tier: defineSearchAttributeKey('ClawbackTier', 'KEYWORD'),
  scenario: defineSearchAttributeKey('ClawbackScenario', 'KEYWORD'),
  verdict: defineSearchAttributeKey('ClawbackVerdict', 'KEYWORD'),
} as const;
