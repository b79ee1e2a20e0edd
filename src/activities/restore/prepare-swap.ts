// Writes into the journal what the swap will rename, once the writers have stopped and the staging tree is
// whole. A repeated attempt keeps what an earlier one wrote.

import type { PrepareSwap } from '../../contract/step-types.ts';
import type { HostSteps } from '../../contract/steps.ts';
import { isPrepared, type Journal, type Rename } from '../../contract/journal.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import { emptyTables } from '../../lane/empty-tables.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { folderChildren } from '../../lane/children.ts';
import { pathsExist } from '../../lane/trees.ts';
import type { Deps } from '../deps.ts';
import { clawbackDirectory, stageDirectory } from '../lane-paths.ts';
import { plistCandidates } from '../plist-paths.ts';
import { requireProfile } from '../profiles.ts';
import { activity, fenceOf, reach } from '../step.ts';
import { carriedOver } from './carry-over.ts';
import { requireJournal, saveJournal } from './journal-file.ts';
import { stagedDatabases } from './staged-databases.ts';
import { databaseLogs, databaseRenames, swapRenames } from './swap-units.ts';

export function prepareSwapStep(deps: Deps): HostSteps['prepareSwap'] {
  return activity(async ({ target, fence: step, ...request }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    const journal = await requireJournal(shell);
    await applyProfileRules(shell, request.restore, fence);
    const prepared = isPrepared(journal) ? journal : await prepare(shell, journal, request);
    if (prepared !== journal) await saveJournal(shell, prepared, fence);
    return { epoch: prepared.epoch, renames: prepared.renames.length, plist: prepared.plist !== null };
  });
}

/** What must not come along is taken out of the staged databases (design, "What a restore promises"). */
async function applyProfileRules(shell: LaneShell, restore: string, fence: Fence): Promise<void> {
  const profile = requireProfile(shell.target.profile);
  if (profile.emptiedTables.length === 0) return;
  const base = `${shell.target.home}/${clawbackDirectory}/${stageDirectory(restore)}/home`;
  for (const path of await stagedDatabases(shell, base, profile))
    await emptyTables(shell, `${base}/${path}`, profile.emptiedTables, { fence });
}

async function prepare(shell: LaneShell, journal: Journal, request: PrepareSwap): Promise<Journal> {
  const stage = `${clawbackDirectory}/${stageDirectory(request.restore)}`;
  const trees = await treeRenames(shell, journal, request, `${stage}/home`);
  return {
    ...journal,
    renames: [...trees.renames, ...(await logRename(shell, journal, `${stage}/logs`))],
    ...(trees.made.length > 0 ? { made: trees.made } : {}),
    plist: request.plists ? await plistIntent(shell, request.restore) : null,
    items: [...request.secrets],
  };
}

async function treeRenames(
  shell: LaneShell,
  { epoch }: Journal,
  { components, exclude }: PrepareSwap,
  stage: string,
): Promise<{ renames: Rename[]; made: string[] }> {
  const { home } = shell.target;
  const profile = requireProfile(shell.target.profile);
  const roots = await Promise.all(
    profile.roots.map(async (root) => {
      const [live, staged] = await Promise.all(
        [`${home}/${root}`, `${home}/${stage}/${root}`].map((path) => folderChildren(shell, path)),
      );
      return { root, live, staged };
    }),
  );
  const renames = swapRenames(roots, { profile, components, epoch, stage });
  const bundled = await stagedDatabases(shell, `${home}/${stage}`, profile);
  const names = bundled.flatMap((path) => [...databaseLogs(path, profile), path]);
  const present = await pathsExist(
    shell,
    names.map((name) => `${home}/${name}`),
  );
  const live = new Set(names.filter((_, at) => present[at]));
  const alone = databaseRenames(bundled, { profile, renames, epoch, stage, live });
  const databases = components.includes('transcripts') ? [] : profile.databases;
  const carried = await carriedOver(shell, { renames, exclude, databases, epoch, stage });
  const all = [...renames, ...alone, ...carried];
  const absent = roots.filter((root) => root.live === undefined).map(({ root }) => root);
  return { renames: all, made: absent.filter((root) => all.some(({ to }) => to.startsWith(`${root}/`))) };
}

/** Logs come back beside, never over live ones. */
async function logRename(shell: LaneShell, { epoch }: Journal, stage: string): Promise<Rename[]> {
  const staged = await folderChildren(shell, `${shell.target.home}/${stage}`);
  return staged && staged.length > 0 ? [{ from: stage, to: `openclaw-logs.${epoch}` }] : [];
}

async function plistIntent(shell: LaneShell, restore: string): Promise<Journal['plist']> {
  const candidates = plistCandidates(shell.target);
  const stage = `${shell.target.home}/${clawbackDirectory}/${stageDirectory(restore)}/plists`;
  const staged = await pathsExist(
    shell,
    candidates.map((path) => stage + path),
  );
  const path = candidates.find((_, at) => staged[at]);
  if (path === undefined) return null;
  const [had = false] = await pathsExist(shell, [shell.path(path)]);
  return { path, had };
}
