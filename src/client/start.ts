// Starting and following the workflows that operators use.

import type { Client, WorkflowHandle } from '@temporalio/client';
import type { ExpiryResult } from '../contract/expiry.ts';
import type { FleetResult } from '../contract/fleet-run.ts';
import type {
  BackupFleetInput,
  BackupLaneInput,
  ExpireBundlesInput,
  ImportArchiveInput,
  ReplicateBundleInput,
  RestoreFleetInput,
  RestoreLaneInput,
  SweepStoreInput,
  UpgradeLaneInput,
  VerifyBundleInput,
} from '../contract/inputs.ts';
import type { BackupResult, ImportResult, ReplicateResult, RestoreResult, SweepResult } from '../contract/results.ts';
import type { UpgradeResult } from '../contract/upgrade.ts';
import type { VerifyResult } from '../contract/verify.ts';
import { queues, workflowNames } from '../contract/names.ts';
import { toFailure } from './failures.ts';

type Started<R> = WorkflowHandle<() => Promise<R>>;
/** Defaults of the schema may be left out. */
type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };
type Given<T> = Optional<T> & { readonly lane: string };

/** Starts a backup of a lane. The workflow id says what and when. */
export function startBackup(client: Client, input: Given<BackupLaneInput>): Promise<Started<BackupResult>> {
  return start(client, workflowNames.backupLane, `backup/${input.lane}`, input);
}

/** Starts a restore, its plan (`dryRun`), or an undo. */
export function startRestore(client: Client, input: Given<RestoreLaneInput>): Promise<Started<RestoreResult>> {
  return start(client, workflowNames.restoreLane, `${restoreWord(input)}/${input.lane}`, input);
}

function restoreWord({ undo, dryRun }: Given<RestoreLaneInput>): string {
  if (undo) return 'undo';
  return dryRun ? 'plan-restore' : 'restore';
}

/** Starts a guarded upgrade, or its plan (`dryRun`). */
export function startUpgrade(client: Client, input: Given<UpgradeLaneInput>): Promise<Started<UpgradeResult>> {
  return start(client, workflowNames.upgradeLane, `${input.dryRun ? 'plan-upgrade' : 'upgrade'}/${input.lane}`, input);
}

export function startSweep(client: Client, input: Given<SweepStoreInput>): Promise<Started<SweepResult>> {
  return start(client, workflowNames.sweepStore, `sweep/${input.lane}`, input);
}

export function startReplicate(client: Client, input: Given<ReplicateBundleInput>): Promise<Started<ReplicateResult>> {
  return start(client, workflowNames.replicateBundle, `replicate/${input.lane}`, input);
}

export function startVerify(client: Client, input: Given<VerifyBundleInput>): Promise<Started<VerifyResult>> {
  return start(client, workflowNames.verifyBundle, `verify/${input.lane}`, input);
}

/** Starts a backup of many lanes. */
export function startBackupFleet(client: Client, input: Optional<BackupFleetInput>): Promise<Started<FleetResult>> {
  return start(client, workflowNames.backupFleet, `backup-fleet/${choiceWord(input)}`, input);
}

/** Starts a restore of many lanes, or the plan of one (`dryRun`). */
export function startRestoreFleet(client: Client, input: Optional<RestoreFleetInput>): Promise<Started<FleetResult>> {
  const word = input.dryRun ? 'plan-restore-fleet' : 'restore-fleet';
  return start(client, workflowNames.restoreFleet, `${word}/${choiceWord(input)}`, input);
}

function choiceWord({ host, lanes }: Pick<Optional<BackupFleetInput>, 'host' | 'lanes'>): string {
  return host ?? (lanes ? `${lanes.length}-lanes` : 'all');
}

/** Starts making a bundle of an archive of the old scripts. */
export function startImport(
  client: Client,
  input: Given<ImportArchiveInput> & { readonly archive: string },
): Promise<Started<ImportResult>> {
  return start(client, workflowNames.importArchive, `import/${input.lane}`, input);
}

/** Starts the expiry of a lane's bundles, or says what it would do (`dryRun`). */
export function startExpiry(client: Client, input: Given<ExpireBundlesInput>): Promise<Started<ExpiryResult>> {
  return start(client, workflowNames.expireBundles, `${input.dryRun ? 'plan-expire' : 'expire'}/${input.lane}`, input);
}

async function start<R>(client: Client, workflow: string, prefix: string, input: object): Promise<Started<R>> {
  const stamp = new Date().toISOString().replace(/\.\d+/, '');
  try {
    return (await client.workflow.start(workflow, {
      taskQueue: queues.host,
      workflowId: `${prefix}/${stamp}-${crypto.randomUUID().slice(0, 8)}`,
      args: [input],
      staticSummary: prefix.replaceAll(/[/]/g, ' '),
      workflowTaskTimeout: '5s',
    })) as Started<R>;
  } catch (error) {
    throw toFailure(error);
  }
}
