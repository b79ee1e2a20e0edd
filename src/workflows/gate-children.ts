// The backups and restores of a gate: workflows of their own, as an operator's are, which end with the gate's cancellation.

import {
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { FleetResult } from '../contract/fleet-run.ts';
import { workflowNames } from '../contract/names.ts';
import type { BackupResult } from '../contract/results.ts';
import { failureTable } from '../domain/failure.ts';
import { archiveKey, type GateArchive } from '../domain/gate.ts';
import { formatBytes, formatDuration } from '../domain/quantity.ts';
import { bundleIdOf, type Tier } from '../domain/terms.ts';
import { codeOf, messageOf } from './failures.ts';
import type { Problem } from './gate-done.ts';
import type { GateLane, HostPicture } from './gate-host.ts';

interface BackedUp {
  readonly done: readonly BackupResult[];
  readonly problems: readonly Problem[];
  readonly archives: readonly GateArchive[];
  readonly evidence: readonly string[];
}

/** All lanes side by side; the failure of one stops no other. */
export async function backUp({ lanes }: HostPicture, tier: Tier): Promise<BackedUp> {
  const tried = await Promise.all(
    lanes.map(({ spec: { lane, fleetDigest } }) => tryBackup(lane, { lane, tier, fleetDigest })),
  );
  const done = tried.flatMap((one) => ('bundle' in one ? [one] : []));
  const suspects = done.flatMap(({ lane, bundle, suspect }) =>
    suspect.map((why) => ({
      what: `bundle ${bundle} of ${lane} is suspect: ${why}`,
      advice: `look at lane ${lane}: \`./clawback status ${lane}\``,
    })),
  );
  return {
    done,
    problems: [...tried.flatMap((one) => ('what' in one ? [one] : [])), ...suspects],
    archives: done.map(({ lane, bundle, manifestSha256 }) => ({
      lane,
      bundle,
      key: archiveKey(lane, bundle),
      manifestSha256,
    })),
    evidence: done.map(
      ({ lane, bundle, sizeBytes, elapsedMs }) =>
        `${lane}: ${bundle}, tier ${tier}, ${formatBytes(sizeBytes)} in ${formatDuration(elapsedMs)}`,
    ),
  };
}

async function tryBackup(lane: string, input: object): Promise<BackupResult | Problem> {
  try {
    return await child<BackupResult>('backup', lane, input);
  } catch (error) {
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    const code = codeOf(error) ?? 'Unexpected';
    return { what: `the backup of ${lane} failed (${code}): ${messageOf(error)}`, advice: failureTable[code].hint };
  }
}

export function restoreAll({ host: name, lanes }: HostPicture, bundles: Record<string, string>): Promise<FleetResult> {
  const { runId } = workflowInfo();
  return executeChild<(input: unknown) => Promise<FleetResult>>(workflowNames.restoreFleet, {
    ...childOptions(`drill ${name}`),
    workflowId: `restore-fleet/${name}/${bundleIdOf(Date.now(), runId)}`,
    args: [{ lanes: lanes.map(({ spec }) => spec.lane), bundles, waitMs: longestWaitMs(lanes) }],
  });
}

/** A nightly backup that runs just now is given way to by a restore; anything else is waited for as the fleet file says. */
function longestWaitMs(lanes: readonly GateLane[]): number {
  return Math.max(...lanes.map(({ spec }) => spec.limits.waitForLaneMs));
}

export function child<R>(word: 'backup' | 'restore', lane: string, input: object): Promise<R> {
  const { runId } = workflowInfo();
  const type = word === 'backup' ? workflowNames.backupLane : workflowNames.restoreLane;
  return executeChild<(raw: unknown) => Promise<R>>(type, {
    ...childOptions(`${word} ${lane}`),
    workflowId: `${word}/${lane}/${bundleIdOf(Date.now(), runId)}`,
    args: [input],
  });
}

function childOptions(what: string) {
  return {
    staticSummary: `${what}, by ${workflowInfo().workflowId}`,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    workflowTaskTimeout: '5s',
  } as const;
}
