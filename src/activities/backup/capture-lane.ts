// Takes a lane at one moment, as far as its gateway and its file system allow, and plans the bundle: which files go
// into which segment. While the gateway is suspended the live tree is listed, the databases are copied and the files are
// cloned; never is a file's content copied in that time. Without a clone the files are read later, and compared.
// What the Keychain refuses is refused before any of it.
// Fingerprints are always of the live tree's listing. May be repeated: it begins anew.

import { type BundlePlan, planBundle, planLongList } from '../../bundle/plan.ts';
import type { BackupPlan, PlanRequest } from '../../contract/step-types.ts';
import type { DataSteps } from '../../contract/steps.ts';
import type { FileEntry } from '../../domain/file-entry.ts';
import type { Component } from '../../domain/terms.ts';
import { clockOffset } from '../../lane/clock.ts';
import { canClone, cloneTrees } from '../../lane/clone.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import { hostFiles } from '../../lane/host-files.ts';
import { removeLaneTree } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { listFiles } from '../../lane/listing.ts';
import { copyDatabase } from '../../lane/sqlite.ts';
import type { Deps } from '../deps.ts';
import { cloneDirectory, copiesDirectory, runDirectory } from '../lane-paths.ts';
import { plistCandidates } from '../plist-paths.ts';
import { requireProfile } from '../profiles.ts';
import { activity, fenceOf, reach } from '../step.ts';
import { readItems } from './backup-secrets.ts';
import { inWindow, type Window } from './capture-window.ts';
import { requireClassOne, requireOneTree, requireTrees } from './plan-checks.ts';
import { planOptions, type SharedOptions } from './plan-options.ts';
import { countOmissions, reportOmissions, writeSegmentLists } from './write-plan.ts';

interface Capture {
  readonly shell: LaneShell;
  readonly request: PlanRequest;
  readonly options: SharedOptions;
  /** Host's clock minus ours. */
  readonly offsetMs: number;
  readonly fence: Fence;
  readonly signal: AbortSignal;
}

export function captureLaneStep(deps: Deps): DataSteps['captureLane'] {
  return activity(async (request, run) => {
    const shell = await reach(deps, request.target, run);
    const fence = fenceOf(request.fence, run);
    await takeFence(shell, fence, run.signal);
    const { bundle } = request;
    const [offsetMs] = await Promise.all([
      clockOffset(shell),
      // read and let go: a keychain that is locked is told before anything is captured or sent, not after all of it
      readItems(deps, shell, request.secrets),
      removeLaneTree(shell, runDirectory(bundle), { fence, signal: run.signal }),
    ]);
    const options = await planOptions(deps, request, Date.now() + offsetMs);
    const capture: Capture = { shell, request, options, offsetMs, fence, signal: run.signal };
    const clonable = await isClonable(capture);
    const { answer: taken, warnings } = await inWindow(shell, { bundle, fence, signal: run.signal }, (window) =>
      takeLane(capture, clonable ? window : undefined),
    );
    if (clonable && !taken.cloned) await removeLaneTree(shell, cloneDirectory(bundle), { fence, signal: run.signal });
    return { ...(await planCapture(capture, taken)), warnings } satisfies BackupPlan;
  });
}

/** Only where the gateway can hold still: a clone beside a writer is of no one moment, and would not be compared. */
async function isClonable({ shell, request, options, fence, signal }: Capture): Promise<boolean> {
  const { roots, suspension } = options.profile;
  if (!suspension) return false;
  return canClone(shell, { trees: roots, to: cloneDirectory(request.bundle), fence, signal });
}

interface Taken {
  /** By our clock. */
  readonly listedAtMs: number;
  readonly home: BundlePlan;
  /** The copies of databases, by their names in the home. */
  readonly copies: readonly FileEntry[];
  /** Databases that were listed and not there to be copied. */
  readonly gone: number;
  readonly cloned: boolean;
}

/** Lists, copies databases and, in what is left of a window, clones. A clone that the window did not hold is none. */
async function takeLane(capture: Capture, window: Window | undefined): Promise<Taken> {
  const { shell, request, fence, signal } = capture;
  const listedAtMs = Date.now();
  const options = { ...capture.options, listedAtMs: listedAtMs + capture.offsetMs };
  const entries = await listHome(shell, options, signal);
  requireOneTree(entries, request.target.lane);
  requireTrees(entries, options, request.target.lane);
  const home = await planLongList(entries, { ...options, base: 'home' });
  requireClassOne(home.segments, request);
  const { copies, gone } = await copyDatabases(capture, home.databases);
  const isOneVolume = new Set(entries.map(({ device }) => device)).size === 1;
  const cloned =
    window !== undefined &&
    isOneVolume &&
    (await cloneTrees(shell, {
      trees: options.profile.roots,
      to: cloneDirectory(request.bundle),
      withinMs: window.leftMs(),
      fence,
      signal,
    }));
  return { listedAtMs, home, copies, gone, cloned: cloned && window.leftMs() > 0 };
}

async function planCapture(
  { shell, request, options: shared, offsetMs, fence }: Capture,
  { listedAtMs, home, copies, gone, cloned }: Taken,
): Promise<Omit<BackupPlan, 'warnings'>> {
  const options = { ...shared, listedAtMs: listedAtMs + offsetMs };
  const host = planBundle(await listHost(shell, request, options.components, fence), {
    ...options,
    base: 'host',
    firstNumber: home.segments.length + 1,
  });
  const databases = planBundle(copies, {
    ...options,
    base: 'copies',
    firstNumber: home.segments.length + host.segments.length + 1,
    reuse: false,
  });
  const plans = [home, host, databases];
  await reportOmissions(shell, request.bundle, plans);
  const segments = plans.flatMap((plan) => plan.segments);
  return {
    capturedAt: new Date(listedAtMs).toISOString(),
    consistency: cloned ? 'cloned' : 'compared',
    segments: await writeSegmentLists(shell, request.bundle, segments, fence),
    omissions: [...countOmissions(plans), ...(gone > 0 ? [{ reason: 'vanished', count: gone }] : [])],
  };
}

async function listHome(shell: LaneShell, { profile }: SharedOptions, signal: AbortSignal): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  const files = listFiles(shell, { base: shell.target.home, paths: profile.roots, prune: profile.skip, signal });
  for await (const entry of files) entries.push(entry);
  return entries;
}

/** Consistent copies beside the run; never the live file, its -wal or its -shm. One that is gone meanwhile is counted. */
async function copyDatabases(
  { shell, request, fence, signal }: Capture,
  databases: readonly FileEntry[],
): Promise<Pick<Taken, 'copies' | 'gone'>> {
  const base = shell.clawbackPath(copiesDirectory(request.bundle));
  let gone = 0;
  for (const { path } of databases) {
    const name = path.toString('utf8');
    const files = { from: `${shell.target.home}/${name}`, to: `${base}/${name}` };
    if (!(await copyDatabase(shell, { ...files, fence, signal }))) gone += 1;
  }
  const copies: FileEntry[] = [];
  for await (const entry of listFiles(shell, { base, paths: ['.'], signal })) {
    if (entry.type === 'file') copies.push(entry);
  }
  return { copies, gone };
}

/** The lane's own plist, and the logs that its user may read. Absence of either is no error. */
async function listHost(
  shell: LaneShell,
  { target, bundle }: PlanRequest,
  wanted: readonly Component[],
  fence: Fence,
): Promise<FileEntry[]> {
  const { logs } = requireProfile(target.profile);
  const globs = [
    ...(wanted.includes('plists') ? plistCandidates(target) : []),
    ...(wanted.includes('logs') ? logs : []),
  ];
  return hostFiles(shell, globs, `${runDirectory(bundle)}/host.list`, { fence });
}
