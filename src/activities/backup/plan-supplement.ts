// Plans the supplement: files that changed while they were read, taken again. An append-only file is taken as
// a range up to its last whole line, which holds still however fast the file grows; any other file is taken
// whole and compared again.

import { type BundlePlan, planBundle } from '../../bundle/plan.ts';
import type { Consistency } from '../../contract/step-types.ts';
import type { DataSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import type { FileEntry } from '../../domain/file-entry.ts';
import type { Profile } from '../../domain/profile.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import { readLaneFile, writeLaneFile } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { statFiles } from '../../lane/listing.ts';
import { readRange } from '../../lane/ranges.ts';
import type { Deps } from '../deps.ts';
import { clawbackDirectory, runDirectory, tornRecords } from '../lane-paths.ts';
import { readWhole } from '../read-whole.ts';
import { activity, fenceOf, reach, type Run } from '../step.ts';
import { decodeRecords, encodeNames } from './member-lists.ts';
import { planOptions } from './plan-options.ts';
import { segmentBase } from './segment-base.ts';
import { isAppendOnly } from './torn.ts';
import { countOmissions, writeSegmentLists } from './write-plan.ts';

export function planSupplementStep(deps: Deps): DataSteps['planSupplement'] {
  return activity(async (request, run) => {
    const shell = await reach(deps, request.target, run);
    const fence = fenceOf(request.fence, run);
    await takeFence(shell, fence, run.signal);
    const listedAtMs = Date.now();
    const shared = { ...(await planOptions(deps, request, listedAtMs)), reuse: false, supplement: true };
    const plans: BundlePlan[] = [];
    const numbered = (): number => request.firstNumber + plans.reduce((sum, { segments }) => sum + segments.length, 0);
    for (const base of ['home', 'host'] as const) {
      const torn = request.segments.filter((segment) => segment.base === base).map(({ id }) => id);
      const { growing, others } = await lookAgain(shell, {
        bundle: request.bundle,
        base,
        torn,
        profile: shared.profile,
        consistency: request.consistency,
        fence,
      });
      plans.push(planBundle(others, { ...shared, base, firstNumber: numbered() }));
      plans.push(
        planBundle(await cutAtLines(shell, segmentBase(shell, { ...request, base }), growing, run), {
          ...shared,
          base,
          firstNumber: numbered(),
          wholeAsRange: true,
        }),
      );
    }
    return {
      segments: await writeSegmentLists(
        shell,
        request.bundle,
        plans.flatMap(({ segments }) => segments),
        fence,
      ),
      omissions: countOmissions(plans),
    };
  });
}

interface Changed {
  readonly growing: readonly FileEntry[];
  readonly others: readonly FileEntry[];
}

interface Look {
  readonly bundle: string;
  readonly base: 'home' | 'host';
  readonly torn: readonly string[];
  readonly profile: Profile;
  readonly consistency: Consistency;
  readonly fence: Fence;
}

/** The torn files as they are now, by kind; those that are gone meanwhile are simply absent. */
async function lookAgain(shell: LaneShell, look: Look): Promise<Changed> {
  const { bundle, base, torn, profile, fence } = look;
  const records = new Map<string, FileEntry>();
  for (const segment of torn) {
    const bytes = await readLaneFile(shell, tornRecords(bundle, segment));
    if (!bytes) throw lost(shell, segment, 'the list of what changed is gone');
    for (const entry of decodeRecords(bytes)) records.set(entry.path.toString('latin1'), entry);
  }
  if (records.size === 0) return { growing: [], others: [] };
  const list = `${runDirectory(bundle)}/torn-${base}.list`;
  await writeLaneFile(shell, list, encodeNames([...records.values()]), { fence });
  const listPath = `${shell.target.home}/${clawbackDirectory}/${list}`;
  const now = await statFiles(shell, { base: segmentBase(shell, look), listPath });
  if (now.some((entry) => records.get(entry.path.toString('latin1'))?.type !== entry.type))
    throw lost(shell, torn.join(' '), 'a name is of another type since it was listed');
  const growing = now.filter((entry) => isAppendOnly(entry, base, profile));
  return { growing, others: now.filter((entry) => !growing.includes(entry)) };
}

/** Without the list a torn file would stay as it is; and a supplement may not bring a link or folder where a file was. */
function lost(shell: LaneShell, segment: string, what: string): Failure {
  const { lane } = shell.target;
  return new Failure('PlanLost', `lane ${lane}: ${what} (${segment})`, { lane, segment });
}

/** The last line of a log may be half written: how far back its start is looked for. */
const lineBytes = 1024 * 1024;

/** Each file cut behind its last line end; a file without any in its last MiB is taken up to its recorded length. */
async function cutAtLines(shell: LaneShell, base: string, files: readonly FileEntry[], run: Run): Promise<FileEntry[]> {
  const cut: FileEntry[] = [];
  for (const file of files) cut.push({ ...file, sizeBytes: await wholeLines(shell, base, file, run) });
  return cut;
}

async function wholeLines(shell: LaneShell, base: string, { path, sizeBytes }: FileEntry, run: Run): Promise<number> {
  const offset = Math.max(0, sizeBytes - lineBytes);
  const { stdout, finished } = await readRange(shell, {
    base,
    path,
    offset,
    length: sizeBytes - offset,
    signal: run.signal,
  });
  const tail = await readWhole(stdout);
  await finished;
  const end = tail.lastIndexOf(0x0a);
  return end < 0 ? sizeBytes : offset + end + 1;
}
