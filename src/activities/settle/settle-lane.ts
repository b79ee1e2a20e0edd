// The one repair code. It looks at the journal on the lane and the names on disk, and ends what a dead or
// failed run left half done: backwards to the old tree, or forwards past the commit. It may be called at any
// time inside a section, any number of times; on a lane without a journal it changes nothing.

import { isPrepared, type Journal } from '../../contract/journal.ts';
import type { SettleResult } from '../../contract/results.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import { allowJob, readJob } from '../../lane/launchd.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { removeArchivedJournal } from '../../lane/journal.ts';
import { removeLaneTree } from '../../lane/lane-files.ts';
import { removeEmptyFolders, removeTree } from '../../lane/trees.ts';
import type { Deps } from '../deps.ts';
import { leftoverFolders } from '../lane-paths.ts';
import { closeJournal, openJournal } from '../restore/journal-file.ts';
import { start } from '../restore/start-gateway.ts';
import { keepDown } from '../restore/stop-writers.ts';
import { homePath, renameBack } from '../restore/swap-trees.ts';
import { takePlistBack } from '../restore/staged-plist.ts';
import { takeSecretsBack } from '../restore/rehydrate-secrets.ts';
import { requireUndoable } from '../restore/preflight-restore.ts';
import { activity, fenceOf, reach, type Run } from '../step.ts';
import { afterFailedStart } from './failed-start.ts';

interface Settling {
  readonly deps: Deps;
  readonly shell: LaneShell;
  readonly fence: Fence;
  readonly run: Run;
}

export function settleLaneStep(deps: Deps): VaultSteps['settleLane'] {
  return activity(async ({ target, fence: step }, run) => {
    const shell = await reach(deps, target, run);
    const settling = { deps, shell, fence: fenceOf(step, run), run };
    await takeFence(shell, settling.fence, run.signal);
    const { action, gateway } = await settle(settling, await openJournal(shell));
    await removeLeftovers(settling);
    return { action, gateway: gateway ?? (await gatewayState(shell)) };
  });
}

interface Settled {
  readonly action: SettleResult['action'];
  /** Where it is known better than by a look: one that exits at its start has a pid now and then. */
  readonly gateway?: SettleResult['gateway'];
}

async function settle(settling: Settling, journal: Journal | undefined): Promise<Settled> {
  if (!journal) return { action: 'nothing' };
  if (journal.phase !== 'committed') return rollBack(settling, journal);
  await goForward(settling);
  return { action: 'went-forward' };
}

/** Inside a section nobody else works on the lane: lists and staging trees that lie here are of runs that died. */
async function removeLeftovers({ shell, fence }: Settling): Promise<void> {
  await Promise.all(leftoverFolders.map((folder) => removeLaneTree(shell, folder, { fence })));
}

async function goForward({ shell, fence, run }: Settling): Promise<void> {
  await start(shell, fence, run.signal);
  await closeJournal(shell, 'restored', fence);
}

/**
 * In the reverse order of the restore; each part is done once, however often this is called. Where nothing was prepared
 * nothing is taken back, and who else works on the lane does not keep its gateway down.
 */
async function rollBack(settling: Settling, journal: Journal): Promise<Settled> {
  const { shell, fence } = settling;
  if (isPrepared(journal)) await takeBack(settling, journal);
  const started = await startAsBefore(settling, journal);
  const isUndo = journal.phase === 'undo';
  if (isUndo) await removeArchivedJournal(shell, 'restored', { fence });
  await closeJournal(shell, isUndo ? 'undone' : 'rolled-back', fence);
  return { action: 'rolled-back', ...(started ? {} : { gateway: 'stopped' }) };
}

async function takeBack({ deps, shell, fence, run }: Settling, journal: Journal): Promise<void> {
  // before the gateway is stopped: an undo that a locked keychain would hold up leaves it running
  if (journal.phase === 'undo') await requireUndoable(deps, shell, journal);
  await keepDown(shell, fence, run);
  await takeSecretsBack(deps, shell, journal, fence);
  if (journal.plist && !runsWithout(journal)) await takePlistBack(shell, journal, journal.plist, fence);
  for (const rename of journal.renames.toReversed()) await renameBack(shell, rename, fence);
  // the gateway that was started in them may have left files there; after an undo these are the operator's to look at
  if (journal.phase === 'open')
    for (const tree of journal.made ?? []) await removeTree(shell, homePath(shell, tree), { fence });
  await removeEmptyFolders(shell, emptied(shell, journal), { fence });
}

/** It ran although its plist was gone: without the one that the restore brought it could not be started again. */
function runsWithout({ plist, before }: Journal): boolean {
  return plist?.had === false && before.loaded && before.healthy;
}

/** Where parts of a tree were kept: `.bak.<epoch>` folders that the swap made, and that hold nothing any more. */
function emptied(shell: LaneShell, { renames, epoch, made = [] }: Journal): string[] {
  const folders = renames.flatMap(({ to }) => new RegExp(`^.*[.]bak[.]${epoch}(?=/)`).exec(to)?.[0] ?? []);
  return [...new Set([...folders, ...made])].map((folder) => homePath(shell, folder));
}

/**
 * The gateway is brought back to how it was found. One that was healthy must run again; one that was loaded
 * but broken, as on the bad day of the restore, is loaded again and may go on failing.
 * @returns false: it does not run
 * @throws LaneUnsettled after some tries: the journal stays, for the watch to go on with
 */
async function startAsBefore({ shell, fence, run }: Settling, journal: Journal): Promise<boolean> {
  const { before, phase } = journal;
  // also where it is not started now: a job that was only unloaded comes back at boot
  if (!before.disabled) await allowJob(shell, { fence, signal: run.signal });
  if (!before.loaded && phase !== 'undo') return false;
  try {
    await start(shell, fence, run.signal);
    return true;
  } catch (error) {
    if (!isFailure(error, 'GatewayWouldNotStart') && !isFailure(error, 'PlistInvalid')) throw error;
    const then = afterFailedStart(journal, run.attempt);
    if (then === 'settled') return false;
    if (then === 'again') throw error;
    const { lane } = shell.target;
    const message = `lane ${lane} is back at its old tree, but after ${run.attempt} tries: ${error.message}; mend what keeps it from starting, and the watch starts it`;
    throw new Failure('LaneUnsettled', message, { lane });
  }
}

async function gatewayState(shell: LaneShell): Promise<SettleResult['gateway']> {
  const job = await readJob(shell);
  return job.pid === undefined ? 'stopped' : 'running';
}
