// Upgrades OpenClaw of one lane, with a bundle to go back to. A section that was terminated under way could not go back
// itself: this does it for it.

import { CancellationScope, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { UpgradeLaneInput } from '../contract/inputs.ts';
import { searchAttributes } from '../contract/names.ts';
import type { UpgradeResult } from '../contract/upgrade.ts';
import { bundleIdOf } from '../domain/terms.ts';
import { type Entry, enterSection, resolveLane } from './enter-section.ts';
import { codeOf, messageOf, workflowFailure } from './failures.ts';
import { parseInput } from './input.ts';
import { wayBack } from './upgrade.ts';
import { withVerdict } from './verdict.ts';

export async function upgradeLane(raw: unknown): Promise<UpgradeResult> {
  const { lane, to, acceptVersion, dryRun, waitMs } = parseInput(UpgradeLaneInput, raw);
  const resolved = await resolveLane(lane, undefined);
  upsertSearchAttributes([
    { key: searchAttributes.host, value: resolved.host },
    { key: searchAttributes.lane, value: lane },
  ]);
  const { startTime, runId } = workflowInfo();
  const bundle = bundleIdOf(startTime.getTime(), runId);
  const entry: Entry = {
    lane,
    resolved,
    operation: { kind: 'upgrade', bundle, to, acceptVersion, dryRun },
    waitMs: waitMs ?? resolved.waitForLaneMs,
    cancelsBackup: false,
  };
  return withVerdict(
    () => runUpgrade(entry, bundle),
    () => 'ok',
  );
}

async function runUpgrade(entry: Entry, bundle: string): Promise<UpgradeResult> {
  try {
    const result = await enterSection(entry);
    if (result.kind === 'upgrade') return result.upgrade;
    throw workflowFailure('Unexpected', `the section answered ${result.kind} to an upgrade`);
  } catch (error) {
    if (codeOf(error) !== 'Terminated') throw error;
    throw await CancellationScope.nonCancellable(() => backFromTermination(entry, bundle, error));
  }
}

/** The hook is called only after the bundle is there: without it there is nothing to go back from. */
async function backFromTermination(entry: Entry, bundle: string, cause: unknown): Promise<unknown> {
  const { lane, operation } = entry;
  if (operation.kind !== 'upgrade' || operation.dryRun) return cause;
  const run = bundleIdOf(Date.now(), workflowInfo().runId);
  const failed = (outcome: string): unknown =>
    workflowFailure('UpgradeFailed', `${messageOf(cause)}; ${outcome}`, { lane, bundle });
  try {
    await enterSection({ ...entry, operation: wayBack(run, bundle), cancelsBackup: true });
    return failed(`lane ${lane} was set back to bundle ${bundle} and its OpenClaw, gateway answers`);
  } catch (error) {
    if (codeOf(error) === 'NoRestorePoint') return failed('its bundle had not been made, so nothing was upgraded');
    return failed(`AND THE WAY BACK FAILED: ${codeOf(error) ?? 'Unexpected'} ${messageOf(error)}`);
  }
}
