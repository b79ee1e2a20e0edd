// `follow WORKFLOW`: watches a workflow that runs, and tells the result of one that has ended.

import { Command } from 'commander';
import type { Temporal } from '../../client/connection.ts';
import { attachRun, describeRun, type Run, type RunDescription } from '../../client/run.ts';
import type { ExpiryResult } from '../../contract/expiry.ts';
import type { FleetResult } from '../../contract/fleet-run.ts';
import type {
  BackupResult,
  ImportResult,
  ReplicateResult,
  RestoreResult,
  SectionResult,
  SettleResult,
  SweepResult,
} from '../../contract/results.ts';
import type { UpgradeResult } from '../../contract/upgrade.ts';
import type { PruneResult } from '../../contract/incident-state.ts';
import type { VerifyResult } from '../../contract/verify.ts';
import { Failure } from '../../domain/failure.ts';
import { formatBytes } from '../../domain/quantity.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { fleetOutcome, isFleetRun } from '../fleet-command.ts';
import { followIncident } from '../follow-incident.ts';
import { follow, followFleet } from '../follow.ts';
import { parseWorkflowId } from '../parse.ts';
import { importOutcome } from './archives.ts';
import { backupOutcome } from './backup.ts';
import { replicateOutcome } from './replicate.ts';
import { expiryOutcome } from './expire.ts';
import { restoreOutcome } from './restore.ts';
import { sweepOutcome } from './sweep.ts';
import { upgradeOutcome } from './upgrade.ts';
import { verifyOutcome } from './verify.ts';

export function followCommand(cli: Cli): Command {
  const command = new Command('follow')
    .description('watch a workflow until it ends; tell the result of one that has ended')
    .argument('<WORKFLOW>', 'its id, as backup, restore and status show it', parseWorkflowId('WORKFLOW'))
    .action(cli.action((workflowId: string) => followRun(cli, workflowId)));
  return documented(command, {
    examples: ['./clawback follow restore/lane-1/2026-11-22T03:15:00Z-1a2b3c4d', './clawback follow lane/demo/lane-1'],
    json: [
      'that of the command that started it: `backup`, `restore`, `expire`, `sweep`, `replicate` or `verify`',
      'for a lane that is put right: `workflowId`, `lane`, `action` (`nothing`, `rolled-back`, `went-forward`), `gateway` (`running`, `stopped`)',
    ],
  });
}

async function followRun(cli: Cli, workflowId: string): Promise<Outcome> {
  const { fleet } = await cli.loadFleet();
  return cli.withTemporal(async (temporal) => {
    const about = await describeRun(temporal.client, workflowId);
    if (isFleetRun(about)) return followFleetRun(cli, temporal, { about, fleet: fleet.fleet });
    if (isIncident(about)) return followIncident(cli, temporal, { incident: workflowId, yes: false, as: undefined });
    const lane = requireLane(about);
    await cli.stakeLane(lane);
    cli.markStarted();
    const run = attachRun(temporal.client, workflowId);
    const result = await follow(cli, temporal, {
      run,
      fleet: fleet.fleet,
      lane,
      title: `${about.type} ${lane}`,
      isSectionless: sectionless.includes(about.type),
    });
    return outcomeOf(about, lane, result);
  });
}

/** Whatever it is about; by the name of its workflow's type, which is API. */
export function isIncident({ type }: RunDescription): boolean {
  return type.startsWith('recover');
}

/** Workflows that touch no lane. */
const sectionless = ['replicateBundle', 'verifyBundle'];

async function followFleetRun(
  cli: Cli,
  temporal: Temporal,
  { about, fleet }: { readonly about: RunDescription; readonly fleet: string },
): Promise<Outcome> {
  const { workflowId, type } = about;
  const run = attachRun(temporal.client, workflowId) as Run<FleetResult>;
  return fleetOutcome(temporal, workflowId, await followFleet(cli, temporal, { run, fleet, title: type }));
}

export function requireLane({ workflowId, type, lane }: RunDescription): string {
  if (lane !== null) return lane;
  throw new Failure(
    'InvalidInput',
    `workflow ${workflowId} (${type}) works on no lane: only those of backup, restore, expire and sweep can be followed or cancelled`,
    { workflowId },
  );
}

/** By the name of the workflow's type, which is API (contract/names.ts). */
function outcomeOf({ workflowId, type }: RunDescription, lane: string, result: unknown): Outcome {
  if (type === 'backupLane') return backupOutcome(workflowId, result as BackupResult);
  if (type === 'restoreLane') return restoreOutcome({ workflowId, ...(result as RestoreResult) });
  if (type === 'upgradeLane') return upgradeOutcome(workflowId, result as UpgradeResult);
  if (type === 'importArchive') return importOutcome(workflowId, result as ImportResult);
  if (type === 'sweepStore') return sweepOutcome(workflowId, lane, result as SweepResult);
  if (type === 'verifyBundle') return verifyOutcome([{ workflowId, ...(result as VerifyResult) }]);
  if (type === 'replicateBundle') return replicateOutcome([{ workflowId, ...(result as ReplicateResult) }]);
  if (type === 'expireBundles') return expiryOutcome([{ workflowId, lane, result: result as ExpiryResult }]);
  return sectionOutcome(workflowId, lane, result as SectionResult);
}

function sectionOutcome(workflowId: string, lane: string, result: SectionResult): Outcome {
  if (result.kind === 'backup') return backupOutcome(workflowId, result.backup);
  if (result.kind === 'restore') return restoreOutcome({ workflowId, ...result.restore });
  if (result.kind === 'upgrade') return upgradeOutcome(workflowId, result.upgrade);
  if (result.kind === 'import') return importOutcome(workflowId, result.import);
  if (result.kind === 'prune') return pruneOutcome(workflowId, result.prune);
  if (result.kind === 'stop') {
    const text = `lane ${lane}: its gateway is stopped, and stays so until the lane is restored`;
    return { json: { workflowId, lane, ...result.stop }, text, exit: 'attention' };
  }
  if (result.kind === 'sweep') return sweepOutcome(workflowId, lane, result.sweep);
  if (result.kind === 'expire') return expiryOutcome([{ workflowId, lane, result: result.expire }]);
  return settleOutcome(workflowId, lane, result.settle);
}

function pruneOutcome(workflowId: string, prune: PruneResult): Outcome {
  const { lane, freeBeforeBytes, freeAfterBytes } = prune;
  const text = `lane ${lane}: ${formatBytes(freeAfterBytes)} are free, ${formatBytes(freeBeforeBytes)} were`;
  return { json: { workflowId, ...prune }, text };
}

const actions = {
  nothing: 'there was nothing to put right',
  'rolled-back': 'it is back at its old tree',
  'went-forward': 'its restore was brought to its end',
} as const;

function settleOutcome(workflowId: string, lane: string, settle: SettleResult): Outcome {
  const text = `lane ${lane}: ${actions[settle.action]}; its gateway is ${settle.gateway}`;
  return { json: { workflowId, lane, ...settle }, text, exit: settle.gateway === 'running' ? 'ok' : 'attention' };
}
