// Fetches one segment, checks and opens it in the stream, and unpacks it into the staging tree. What is wrong
// with a segment shows before the tree is swapped, for nothing staged is live.

import { pipeline } from 'node:stream/promises';
import { segmentKey } from '../../bundle/object-keys.ts';
import { auditTar } from '../../bundle/tar-audit.ts';
import type { ChosenSegment, UnderStage } from '../../contract/step-types.ts';
import type { VaultDataSteps } from '../../contract/steps.ts';
import { bothEnds } from '../../lane/data-stream.ts';
import { type Fence, takeTurn } from '../../lane/fence.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { writeRange } from '../../lane/ranges.ts';
import { unpackFiles } from '../../lane/tar.ts';
import { countingBytes } from '../count-bytes.ts';
import { fromCopies } from '../copied-store.ts';
import type { Deps } from '../deps.ts';
import { clawbackDirectory, stageDirectory, stagePlace } from '../lane-paths.ts';
import { activity, reach, type Run } from '../step.ts';
import { openStored, type StoredSegment } from './open-stored.ts';
import { rangeFile } from './range-file.ts';

type Request = UnderStage & { readonly under: Fence; readonly restore: string; readonly segment: ChosenSegment };

export function stageSegmentStep(deps: Deps): VaultDataSteps['stageSegment'] {
  return activity(async ({ store, replica, ...request }, run) => {
    const { target, segment } = request;
    const shell = await reach(deps, target, run);
    const { fleet, lane } = target;
    return fromCopies(deps, { store, replica }, async (reading, copies, round) => {
      // two rounds an attempt: each ends what the one before it may still write
      const turn = { name: `${segment.bundle}.${segment.id}`, attempt: 2 * run.attempt + round };
      const under = await takeTurn(shell, request.under, turn, run.signal);
      const stored = await openStored(reading, { fleet, lane, store, segment, signal: run.signal });
      const members =
        stored.entry.kind === 'range'
          ? await stageRange(shell, { ...request, under }, stored, run)
          : await stageTar(shell, { ...request, under }, stored, run);
      const { fingerprint, suffix, plainBytes } = stored.entry;
      return { plainBytes, members, store: copies.gave.get(segmentKey(lane, fingerprint, suffix)) ?? store };
    });
  });
}

async function stageTar(shell: LaneShell, request: Request, stored: StoredSegment, run: Run): Promise<number> {
  const { entries } = await stored.index();
  const audit = auditTar({ expect: 'index', entries });
  const unpack = await unpackFiles(shell, {
    base: stageBase(shell, request),
    fence: request.under,
    signal: run.signal,
  });
  await bothEnds(
    pipeline(await stored.plain(), audit.stream, countingBytes(run), unpack.stdin, { signal: run.signal }),
    unpack.finished,
  );
  audit.result();
  return entries.length;
}

async function stageRange(shell: LaneShell, request: Request, stored: StoredSegment, run: Run): Promise<number> {
  const file = rangeFile(await stored.index());
  const write = await writeRange(shell, {
    base: stageBase(shell, request),
    path: file.path,
    offset: file.offset,
    fence: request.under,
    signal: run.signal,
  });
  await bothEnds(
    pipeline(await stored.plain(), file.check(), countingBytes(run), write.stdin, { signal: run.signal }),
    write.finished,
  );
  return 1;
}

export function stageBase(shell: LaneShell, { restore, segment }: Pick<Request, 'restore' | 'segment'>): string {
  return `${shell.target.home}/${clawbackDirectory}/${stageDirectory(restore)}/${stagePlace(segment.component)}`;
}
