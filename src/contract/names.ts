// Names that are API: workflows, queues, ids, queries and search attributes. Renamed only with a patch.

import { defineSearchAttributeKey } from '@temporalio/common';
import type { Scenario } from '../domain/incident.ts';

export const workflowNames = {
  backupLane: 'backupLane',
  restoreLane: 'restoreLane',
  backupFleet: 'backupFleet',
  restoreFleet: 'restoreFleet',
  laneSection: 'laneSection',
  upgradeLane: 'upgradeLane',
  qualifyHost: 'qualifyHost',
  sweepStore: 'sweepStore',
  replicateBundle: 'replicateBundle',
  importArchive: 'importArchive',
  verifyBundle: 'verifyBundle',
  expireBundles: 'expireBundles',
  watchFleet: 'watchFleet',
  watchRpo: 'watchRpo',
  recoverBadUpgrade: 'recoverBadUpgrade',
  recoverDiskFull: 'recoverDiskFull',
  recoverCrossWrite: 'recoverCrossWrite',
  recoverRegionLoss: 'recoverRegionLoss',
  recoverHostLoss: 'recoverHostLoss',
  keepMoved: 'keepMoved',
} as const;

/** The playbook of each scenario. */
export const recoverWorkflows = {
  'bad-upgrade': workflowNames.recoverBadUpgrade,
  'disk-full': workflowNames.recoverDiskFull,
  'cross-write': workflowNames.recoverCrossWrite,
  'region-loss': workflowNames.recoverRegionLoss,
  'host-loss': workflowNames.recoverHostLoss,
} as const satisfies Record<Scenario, string>;

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

/**
 * An incident: Temporal's unique workflow id is what keeps a second one from being opened.
 * @param subject a lane, host or region (domain/incident.ts)
 */
export function incidentId(fleet: string, scenario: Scenario, subject: string): string {
  return `incident/${fleet}/${scenario}/${subject}`;
}

/** Where the lanes of a lost host are, until fleet.yaml says so: asked for by every operation on a lane of that host. */
export function movedId(fleet: string, lostHost: string): string {
  return `moved/${fleet}/${lostHost}`;
}

/** Of a schedule of the fleet, by what it does: `tier-a/mac-1`. All of a fleet's ids begin alike, and no other's do. */
export function scheduleId(fleet: string, name: string): string {
  return `clawback/${fleet}/${name}`;
}

/** The 7-day gate of a host: Temporal's unique workflow id keeps a second one from running. */
export function gateId(fleet: string, host: string): string {
  return `gate/${fleet}/${host}`;
}

/** The schedule that settles lanes whose section died, and looks for first signals of disasters. */
export function watchScheduleId(fleet: string): string {
  return scheduleId(fleet, 'watch');
}

/** Few, and fixed from the first day; registered when a worker starts. */
export const searchAttributes = {
  host: defineSearchAttributeKey('ClawbackHost', 'KEYWORD'),
  lane: defineSearchAttributeKey('ClawbackLane', 'KEYWORD'),
  tier: defineSearchAttributeKey('ClawbackTier', 'KEYWORD'),
  scenario: defineSearchAttributeKey('ClawbackScenario', 'KEYWORD'),
  verdict: defineSearchAttributeKey('ClawbackVerdict', 'KEYWORD'),
} as const;
