// The one repair code. It looks at the journal on the lane and the names on disk, and ends what a dead or
// failed run left half done: backwards to the old tree, or forwards past the commit. It may be called at any
// time inside a section, any number of times; on a lane without a journal it changes nothing.

import type { Journal } from '../../contract/journal.ts';
import type { SettleResult } from '../../contract/results.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { isFailure } from '../../domain/failure.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import { readJob } from '../../lane/launchd.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { removeArchivedJournal } from '../../lane/journal.ts';
import { removeLaneTree } from '../../lane/lane-files.ts';
import type { Deps } from '../deps.ts';
import { clawbackDirectory, stageDirectory } from '../lane-paths.ts';
import { closeJournal, openJournal } from '../restore/journal-file.ts';
import { start } from '../restore/start-gateway.ts';
import { keepDown } from '../restore/stop-writers.ts';
import { renameBack } from '../restore/swap-trees.ts';
import { takePlistBack } from '../restore/staged-plist.ts';
import { takeSecretsBack } from '../restore/rehydrate-secrets.ts';
import { activity, fenceOf, reach, type Run } from '../step.ts';

export function settleLaneStep(deps: Deps): VaultSteps['settleLane'] {
  return activity(async ({ target, fence: step }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    const journal = await openJournal(shell);
    if (!journal) return { action: 'nothing', gateway: await gatewayState(shell) };
    if (journal.phase === 'committed') return goForward(shell, fence, run);
    return rollBack(deps, shell, journal, fence, run);
  });
}

async function goForward(shell: LaneShell, fence: Fence, run: Run): Promise<SettleResult> {
  await start(shell, fence, run.signal);
  await closeJournal(shell, 'restored', fence);
  return { action: 'went-forward', gateway: await gatewayState(shell) };
}

/** In the reverse order of the restore; each part is done once, however often this is called. */
async function rollBack(deps: Deps, shell: LaneShell, journal: Journal, fence: Fence, run: Run): Promise<SettleResult> {
  await keepDown(shell, fence, run);
  await takeSecretsBack(deps, shell, journal, fence);
  if (journal.plist) await takePlistBack(shell, journal, journal.plist, fence);
  for (const rename of journal.renames.toReversed()) await renameBack(shell, rename, fence);
  await startAsBefore(shell, journal, fence, run);
  if (journal.phase === 'undo') await keepUndone(shell, journal, fence);
  await closeJournal(shell, 'rolled-back', fence);
  await removeLaneTree(shell, stageDirectory(journal.restore), { fence });
  return { action: 'rolled-back', gateway: await gatewayState(shell) };
}

/** What the gateway wrote since the restore is not thrown away: the tree that was live lies beside the old one. */
async function keepUndone(shell: LaneShell, { restore, epoch }: Journal, fence: Fence): Promise<void> {
  const stage = `${clawbackDirectory}/${stageDirectory(restore)}`;
  await renameBack(shell, { from: `openclaw-undone.${epoch}`, to: stage }, fence);
  await removeArchivedJournal(shell, 'restored', { fence });
}

/**
 * The gateway is brought back to how it was found. One that was healthy must run again; one that was loaded
 * but broken, as on the bad day of the restore, is loaded again and may go on failing.
 */
async function startAsBefore(shell: LaneShell, { before, phase }: Journal, fence: Fence, run: Run): Promise<void> {
  if (!before.loaded && phase !== 'undo') return;
  try {
    await start(shell, fence, run.signal);
  } catch (error) {
    const wasBroken = !before.healthy && (isFailure(error, 'GatewayWouldNotStart') || isFailure(error, 'PlistInvalid'));
    if (!wasBroken) throw error;
  }
}

async function gatewayState(shell: LaneShell): Promise<SettleResult['gateway']> {
  const job = await readJob(shell);
  return job.pid === undefined ? 'stopped' : 'running';
}
