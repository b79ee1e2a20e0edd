// An archive of the old scripts becomes a bundle: read once to judge all of it, with nothing written, and once more to
// seal its segments. What came of it is committed by the manifest, as of any backup; a run that dies in between leaves
// objects that no manifest names, for the sweep. The bundle's id is made of the archive: twice the same is once.

import { createHmac } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { listArchive, writeArchive } from '../../bundle/archive-segments.ts';
import { encodeIndex, type IndexEntry } from '../../bundle/index-file.ts';
import { manifestKey } from '../../bundle/object-keys.ts';
import type { ArchiveSegment } from '../../bundle/old-archive-cut.ts';
import { type ArchivePlan, layoutOf, planArchive } from '../../bundle/old-archive-plan.ts';
import { type ArchiveRead, readArchive } from '../../bundle/unwrap.ts';
import type { SegmentPlan, SegmentResult } from '../../contract/results.ts';
import type { ImportRequest } from '../../contract/import-types.ts';
import type { DataSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import { macHome } from '../../domain/lane-target.ts';
import { capturedAtOf, endOfDayMs, type OldArchive } from '../../domain/old-archive.ts';
import { bundleIdOf } from '../../domain/terms.ts';
import { putSealed } from '../backup/put-sealed.ts';
import { countingBytes } from '../count-bytes.ts';
import type { Deps } from '../deps.ts';
import { plistCandidates } from '../plist-paths.ts';
import { requireProfile } from '../profiles.ts';
import { activity, type Run } from '../step.ts';
import { requireNamedAfter } from './find-archive.ts';

interface Job {
  readonly deps: Deps;
  readonly request: ImportRequest;
  readonly told: OldArchive;
  readonly run: Run;
}

export function importArchiveStep(deps: Deps): DataSteps['importArchive'] {
  return activity(async (request, run) => {
    const told = requireNamedAfter(request.target, request.archive);
    const job: Job = { deps, request, told, run };
    const first = await readOnce(job, listArchive);
    const plan = planOf(first.result, request);
    const capturedAt = capturedAtOf(told, youngestMs(first.result, told));
    const bundle = bundleIdOf(Date.parse(capturedAt), first.sha256);
    const from = { archive: request.archive, sizeBytes: first.sizeBytes, sha256: first.sha256 };
    const already = await isCommitted(job, bundle);
    const written = already ? [] : await write(job, plan, first.sha256);
    return {
      bundle,
      tier: told.tier,
      already,
      from,
      plan: {
        capturedAt,
        consistency: 'compared' as const,
        segments: written.map((one) => one.plan),
        omissions: plan.omissions,
        warnings: [],
      },
      results: written.map((one) => one.result),
    };
  });
}

async function readOnce<T>(job: Job, consume: (tar: Readable) => Promise<T>): Promise<ArchiveRead<T>> {
  const { deps, run } = job;
  const { archive } = job.request;
  const { wrapping } = job.told;
  const { source, gpgHome, ...archives } = deps.archives();
  const passphrase = wrapping === 'none' ? undefined : await archives.passphrase();
  const counted = countingBytes(run);
  pipeline(await source.open(archive, run.signal), counted, () => undefined); // its error comes out of `counted`
  return readArchive(counted, { wrapping, passphrase, gpgHome, signal: run.signal }, consume);
}

/** @throws VersionUnsupported for the layout of another profile, ArchiveForeign when nothing in it is this lane's */
function planOf(entries: readonly IndexEntry[], request: ImportRequest): ArchivePlan {
  const { target, archive, exclude, segmentBytes } = request;
  const layout = layoutOf(entries) ?? target.profile;
  if (layout !== target.profile) {
    throw new Failure(
      'VersionUnsupported',
      `archive ${archive} has the layout of profile ${layout}, lane ${target.lane} is on ${target.profile}`,
      { lane: target.lane, key: archive },
    );
  }
  const home = macHome(target).slice(1);
  const plists = plistCandidates(target).filter((path) => !path.startsWith(`/${home}/`));
  const plan = planArchive(entries, { profile: requireProfile(target.profile), exclude, home, plists, segmentBytes });
  if (plan.segments.length > 0) return plan;
  const what = plan.own === 0 ? `of the ${entries.length} members none is` : 'nothing that its profile keeps is';
  throw new Failure('ArchiveForeign', `archive ${archive}: ${what} of lane ${target.lane}, user ${target.user}`, {
    lane: target.lane,
    key: archive,
    count: entries.length,
  });
}

/** The largest time of a file that the archive's day allows. */
function youngestMs(entries: readonly IndexEntry[], told: OldArchive): number | undefined {
  const endMs = endOfDayMs(told);
  let found: number | undefined;
  for (const { type, mtime } of entries) {
    const mtimeMs = Number(BigInt(mtime) / 1_000_000n);
    if (type === 'file' && mtimeMs <= endMs) found = Math.max(found ?? mtimeMs, mtimeMs);
  }
  return found;
}

/** This queue may list the store, not read it: a manifest of this id is of this archive. */
async function isCommitted({ deps, request, run }: Job, bundle: string): Promise<boolean> {
  const { target, store } = request;
  const wanted = manifestKey(target.lane, bundle);
  for await (const { key } of deps.store(store).list(wanted, { signal: run.signal })) if (key === wanted) return true;
  return false;
}

interface Written {
  readonly plan: SegmentPlan;
  readonly result: SegmentResult;
}

async function write(job: Job, plan: ArchivePlan, sha256: string): Promise<Written[]> {
  const { target, archive } = job.request;
  const key = await job.deps.keys.fingerprint();
  const written: Written[] = [];
  const second = await readOnce(job, (tar) =>
    writeArchive(tar, plan, async (segment, segmentTar) => {
      const name = `archive\0${target.lane}\0${sha256}\0${segment.id}`;
      const fingerprint = createHmac('sha256', key).update(name).digest('hex');
      written.push(await putSegment(job, { segment, fingerprint, tar: segmentTar }));
    }),
  );
  if (second.sha256 === sha256) return written;
  throw new Failure('ArchiveDamaged', `archive ${archive} changed while it was read`, { key: archive });
}

interface Put {
  readonly segment: ArchiveSegment;
  readonly fingerprint: string;
  readonly tar: Readable;
}

async function putSegment({ deps, request, run }: Job, { segment, fingerprint, tar }: Put): Promise<Written> {
  const { target, store } = request;
  const { signal } = run;
  const place = { fleet: target.fleet, lane: target.lane, store, fingerprint, signal };
  const { id, component, kind, base, sizeBytes } = segment;
  const { stored, plainBytes } = await putSealed(deps, place, 'segment', tar);
  const entries = segment.units.flatMap((unit) => unit.entries);
  const index = encodeIndex({ segment: id, component, kind, base, entries, omissions: [] });
  const { stored: storedIndex } = await putSealed(deps, place, 'index', Readable.from([index]));
  const members = entries.length;
  return {
    plan: {
      id,
      component,
      kind,
      base,
      fingerprint,
      reusable: false,
      supplement: false,
      sizeBytes,
      members,
      listSha256: '',
    },
    result: { id, ...stored, plainBytes, members, index: storedIndex, vanished: 0, torn: 0 },
  };
}
