// Streams one segment: tar on the lane, audited and hashed on the way, compressed, sealed, stored; then its
// index. What changed while it was read is seen by comparing the listing before and after, for tar ends with 0
// on torn files.

import { Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { encodeIndex, rangeEntry, type SegmentIndex } from '../../bundle/index-file.ts';
import { countAndHash } from '../../bundle/digest.ts';
import { auditTar } from '../../bundle/tar-audit.ts';
import type { SealedObject, SegmentPlan, SegmentResult } from '../../contract/results.ts';
import type { DataSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import type { FileEntry } from '../../domain/file-entry.ts';
import { clawbackFile } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { readRange } from '../../lane/ranges.ts';
import { packFiles } from '../../lane/tar.ts';
import { countingBytes } from '../count-bytes.ts';
import type { Deps } from '../deps.ts';
import { memberList } from '../lane-paths.ts';
import { activity, reach, type Run } from '../step.ts';
import { readMembers } from './member-lists.ts';
import { putSealed } from './put-sealed.ts';
import { segmentBase } from './segment-base.ts';
import { goneSinceListing, recordTorn, requireListedTypes } from './torn.ts';

interface Job {
  readonly deps: Deps;
  readonly shell: LaneShell;
  readonly store: string;
  readonly bundle: string;
  readonly segment: SegmentPlan;
  readonly members: readonly FileEntry[];
  /** Where they are read, absolute on the lane. */
  readonly base: string;
  readonly run: Run;
}

interface Taken {
  readonly stored: SealedObject;
  readonly plainBytes: number;
  readonly index: Pick<SegmentIndex, 'entries' | 'omissions'>;
  /** A range that was shorter than planned. */
  readonly isPadded?: boolean;
}

export function backupSegmentStep(deps: Deps): DataSteps['backupSegment'] {
  return activity(async ({ target, store, bundle, segment, consistency }, run) => {
    const shell = await reach(deps, target, run);
    const members = await readMembers(shell, bundle, segment);
    const base = segmentBase(shell, { bundle, base: segment.base, consistency });
    const job: Job = { deps, shell, store, bundle, segment, members, base, run };
    const { stored, plainBytes, index, isPadded } =
      segment.kind === 'range' ? await takeRange(job) : await takeTar(job);
    const torn = await recordTorn(shell, { bundle, segment, consistency }, members);
    // cut and grown again meanwhile: its size does not tell
    if (isPadded && torn === 0) throw goneSinceListing(shell, segment);
    return {
      id: segment.id,
      ...stored,
      plainBytes,
      members: index.entries.length,
      index: await putIndex(job, index),
      vanished: index.omissions.length,
      torn,
    } satisfies SegmentResult;
  });
}

async function takeTar(job: Job): Promise<Taken> {
  const { shell, bundle, segment, members, base, run } = job;
  const tar = await packFiles(shell, {
    base,
    listPath: clawbackFile(shell, memberList(bundle, segment.id)),
    signal: run.signal,
  });
  const audit = auditTar({ expect: 'list', members });
  const sent = await send(job, tar.stdout, audit.stream);
  await tar.finished;
  const { entries, missing } = audit.result();
  requireListedTypes(shell.target, segment.id, members, entries);
  return { ...sent, index: { entries, omissions: missing.map((path) => ({ path, reason: 'vanished' as const })) } };
}

/**
 * A range that is shorter than planned is padded: its file shrank, so it is torn, and the supplement takes its place. For
 * a file that is gone there will be no supplement: it is planned anew, without the file.
 */
async function takeRange(job: Job): Promise<Taken> {
  const { shell, segment, members, base, run } = job;
  const [file] = members;
  if (!file || !segment.range)
    throw new Failure('PlanLost', `segment ${segment.id} is no range of one file`, { segment: segment.id });
  const range = await readRange(shell, {
    base,
    path: file.path,
    ...segment.range,
    signal: run.signal,
  });
  const hash = countAndHash();
  const padding = new PaddedTo(segment.range.length);
  const sent = await send(job, range.stdout, padding, hash);
  const { missing } = await range.finished;
  if (missing) throw goneSinceListing(shell, segment);
  // counted here: the command's exit status can come before the last of its bytes has been taken
  return { ...sent, isPadded: padding.isShort, index: { entries: [rangeEntry(file, hash.sha256)], omissions: [] } };
}

/** Moves the lane's bytes through checks into the sealed object; the first failure ends all of it. */
async function send(
  { deps, shell, store, segment, run }: Job,
  source: Readable,
  ...checks: (Transform | NodeJS.ReadWriteStream)[]
): Promise<Pick<Taken, 'stored' | 'plainBytes'>> {
  const { fleet, lane } = shell.target;
  const counted = countingBytes(run);
  const flow = pipeline([source, ...checks, counted], { signal: run.signal });
  const put = putSealed(
    deps,
    { fleet, lane, store, fingerprint: segment.fingerprint, signal: run.signal },
    'segment',
    counted,
  );
  await Promise.all([flow, put]);
  return put;
}

/** Passes a range on and fills it up with zeros to its planned length. */
class PaddedTo extends Transform {
  readonly #length: number;
  #seen = 0;

  constructor(length: number) {
    super();
    this.#length = length;
  }

  /** Did fewer bytes come than were planned? Known at the end. */
  get isShort(): boolean {
    return this.#seen < this.#length;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#seen += chunk.length;
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    if (this.isShort) this.push(Buffer.alloc(this.#length - this.#seen));
    done();
  }
}

async function putIndex(
  { deps, shell, store, segment, run }: Job,
  { entries, omissions }: Taken['index'],
): Promise<SealedObject> {
  const { fleet, lane } = shell.target;
  const { id, component, kind, base, range, fingerprint } = segment;
  const bytes = encodeIndex({
    segment: id,
    component,
    kind,
    base,
    ...(range ? { range } : {}),
    entries: [...entries],
    omissions: [...omissions],
  });
  const { stored } = await putSealed(
    deps,
    { fleet, lane, store, fingerprint, signal: run.signal },
    'index',
    Readable.from([bytes]),
  );
  return stored;
}
