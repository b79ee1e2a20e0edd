// Lists the lane once and plans the bundle: which files go into which segment. The listing is of the live tree.

import { matchesAny } from '../../bundle/globs.ts';
import { planBundle, type PlanOptions } from '../../bundle/plan.ts';
import { recipientsDigest } from '../../bundle/seal.ts';
import type { BackupPlan, PlanRequest } from '../../contract/step-types.ts';
import type { DataSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import type { FileEntry } from '../../domain/file-entry.ts';
import { limits } from '../../domain/limits.ts';
import { classOf, type Component, componentsOf } from '../../domain/terms.ts';
import { clockOffset } from '../../lane/clock.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import { hostFiles } from '../../lane/host-files.ts';
import { writeLaneFile } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { listFiles } from '../../lane/listing.ts';
import type { Deps } from '../deps.ts';
import { databaseRecords, runDirectory } from '../lane-paths.ts';
import { plistCandidates } from '../plist-paths.ts';
import { requireProfile } from '../profiles.ts';
import { activity, fenceOf, reach } from '../step.ts';
import { encodeRecords } from './member-lists.ts';
import { countOmissions, reportOmissions, writeSegmentLists } from './write-plan.ts';

export function planBackupStep(deps: Deps): DataSteps['planBackup'] {
  return activity(async (request, run) => {
    const shell = await reach(deps, request.target, run);
    const fence = fenceOf(request.fence, run);
    await takeFence(shell, fence, run.signal);
    const offsetMs = await clockOffset(shell);
    const listedAtMs = Date.now();
    const options = await planOptions(deps, request, listedAtMs + offsetMs);
    const listed = await listHome(shell, options, run.signal);
    requireTrees(listed, options, request.target.lane);
    const home = planBundle(listed, { ...options, base: 'home' });
    requireClassOne(home.segments, request);
    const host = planBundle(await listHost(shell, request, options.components, fence), {
      ...options,
      base: 'host',
      firstNumber: home.segments.length + 1,
    });
    await writeLaneFile(shell, databaseRecords(request.bundle), encodeRecords(home.databases), { fence });
    await reportOmissions(shell, request.bundle, [home, host]);
    return {
      capturedAt: new Date(listedAtMs).toISOString(),
      segments: await writeSegmentLists(shell, request.bundle, [...home.segments, ...host.segments], fence),
      omissions: countOmissions([home, host]),
      databases: home.databases.length,
    } satisfies BackupPlan;
  });
}

export type SharedOptions = Omit<PlanOptions, 'base'>;

/**
 * What all plans of one backup have in common.
 * @param listedAtMs by the host's clock, which the files' times are of
 */
export async function planOptions(deps: Deps, request: PlanRequest, listedAtMs: number): Promise<SharedOptions> {
  return {
    profile: requireProfile(request.target.profile),
    components: componentsOf(request.tier),
    exclude: request.exclude,
    listedAtMs,
    fingerprintKey: await deps.keys.fingerprint(),
    recipientsDigest: recipientsDigest(await deps.keys.recipients()),
    firstNumber: 1,
    segmentBytes: request.segmentBytes,
    maxSegments: limits.segmentsPerBundle,
    reuse: true,
    supplement: false,
  };
}

async function listHome(shell: LaneShell, { profile }: SharedOptions, signal: AbortSignal): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  const files = listFiles(shell, { base: shell.target.home, paths: profile.roots, prune: profile.skip, signal });
  for await (const entry of files) entries.push(entry);
  return entries;
}

/** Where a tree should be there may be a link to it: the bundle would hold the link, and look whole. TreeUnusable. */
export function requireTrees(
  entries: readonly Pick<FileEntry, 'path' | 'type'>[],
  { profile, components, exclude }: Pick<SharedOptions, 'profile' | 'components' | 'exclude'>,
  lane: string,
): void {
  const wanted = profile.rules.filter(({ component }) => components.includes(component));
  const trees = new Set(wanted.map(({ prefix }) => prefix.replace(/\/$/, '')));
  const linked = entries.filter(
    ({ path, type }) => type === 'symlink' && trees.has(path.toString('latin1')) && !matchesAny(path, exclude),
  );
  const [link] = linked.map(({ path }) => path.toString('latin1'));
  if (link === undefined) return;
  throw new Failure('TreeUnusable', `lane ${lane}: ~/${link} is a symbolic link, what it leads to would not be saved`, {
    lane,
  });
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

/** A backup without class 1 would be believed on the bad day: it is refused. */
function requireClassOne(
  segments: readonly { readonly component: Component; readonly members: readonly unknown[] }[],
  { target }: PlanRequest,
): void {
  if (segments.some(({ component, members }) => classOf(component) === 1 && members.length > 0)) return;
  throw new Failure('ClassOneEmpty', `lane ${target.lane} has no configuration below its home`, { lane: target.lane });
}
