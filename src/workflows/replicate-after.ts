// The copy that follows a backup. The section has ended, so the lane is free; the bundle is committed, so nothing that
// goes wrong here may fail the backup. It is awaited, not abandoned, for the answer to say what is true: whether there is
// a second copy. What an earlier copy left undone is done with it.

import {
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import { workflowNames } from '../contract/names.ts';
import type { BackupResult, ReplicateResult } from '../contract/results.ts';
import { doneDetails } from './details.ts';
import { messageOf } from './failures.ts';

export async function replicateAfter(backup: BackupResult, to: string): Promise<BackupResult> {
  const result = await outcomeOf(backup, to);
  setCurrentDetails(doneDetails({ kind: 'backup', backup: result }));
  return result;
}

async function outcomeOf(backup: BackupResult, to: string): Promise<BackupResult> {
  const again = `\`./clawback replicate ${backup.lane}\` copies it`;
  const warn = (...more: string[]): BackupResult => ({ ...backup, warnings: [...backup.warnings, ...more] });
  try {
    const { bundles, failed } = await replicate(backup.lane);
    const warnings = failed.map(({ bundle, message }) => `bundle ${bundle} has no copy in ${to}: ${message}`);
    if (failed.some(({ bundle }) => bundle === backup.bundle)) return warn(...warnings);
    if (bundles.length + failed.length === 0 || bundles.some(({ bundle }) => bundle === backup.bundle))
      return { ...warn(...warnings), replica: to };
    return warn(...warnings, `the new bundle has no copy in ${to} yet; ${again}`);
  } catch (error) {
    if (isCancellation(error)) return warn(`the copy to ${to} was cancelled, the backup stands; ${again}`);
    return warn(`the new bundle has no copy in ${to}: ${messageOf(error)}; ${again}`);
  }
}

function replicate(lane: string): Promise<ReplicateResult> {
  return CancellationScope.cancellable(() =>
    executeChild<(input: unknown) => Promise<ReplicateResult>>(workflowNames.replicateBundle, {
      workflowId: `${workflowInfo().workflowId}/replicate`,
      args: [{ lane }],
      staticSummary: `replicate ${lane}`,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      workflowTaskTimeout: '5s',
    }),
  );
}
