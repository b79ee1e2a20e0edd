// Copies bundles to the replica of a lane's store, sealed as they are, the manifest last. It touches no lane, and so
// enters no section; two of them at once do the same twice, and harm nothing. Without a bundle: all that the replica
// does not have yet, the newest first, for that is the one that is wanted when a region is lost; each is a child of its
// own, so that one that cannot be copied stops no other.

import {
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { ReplicateBundleInput } from '../contract/inputs.ts';
import { queues, searchAttributes, workflowNames } from '../contract/names.ts';
import type { CopiedBundle, ObjectFault, ReplicateResult } from '../contract/results.ts';
import type { BundleCopy, CopiedSegments } from '../contract/copies.ts';
import { faultText } from '../domain/fault-text.ts';
import { replicateDetails } from './details.ts';
import { resolveLane } from './enter-section.ts';
import { asOwnFailure, codeOf, messageOf, workflowFailure } from './failures.ts';
import { inParallel } from './in-parallel.ts';
import { parseInput } from './input.ts';
import { ProgressBoard } from './section.ts';
import { host, vault, vaultStream } from './steps.ts';

export async function replicateBundle(raw: unknown): Promise<ReplicateResult> {
  const input = parseInput(ReplicateBundleInput, raw);
  const progress = new ProgressBoard('looking at store and replica');
  const { fleet, host: on, store: from, replica: to, streams } = await resolveLane(input.lane, undefined);
  const { lane } = input;
  upsertSearchAttributes([
    { key: searchAttributes.host, value: on },
    { key: searchAttributes.lane, value: lane },
  ]);
  if (to === undefined) throw workflowFailure('NoReplica', `store ${from} of lane ${lane} has no replica`, { lane });
  const startedMs = Date.now();
  try {
    await host.requirePollers({ queues: [queues.vaultData] });
    const done =
      input.bundle === undefined
        ? await copyAll({ fleet, lane, from, to }, progress)
        : { bundles: [await copyOne({ fleet, lane, from, to, bundle: input.bundle }, streams, progress)], failed: [] };
    const result = { lane, from, to, ...done, elapsedMs: Date.now() - startedMs };
    setCurrentDetails(replicateDetails(result));
    return result;
  } catch (error) {
    throw asOwnFailure(error);
  }
}

type Done = Pick<ReplicateResult, 'bundles' | 'failed'>;

async function copyAll(pair: Omit<BundleCopy, 'bundle'>, progress: ProgressBoard): Promise<Done> {
  await vault.copyReceipts(pair);
  const wanted = await vault.listUncopied(pair);
  const bundles: CopiedBundle[] = [];
  const failed: { bundle: string; code: string; message: string }[] = [];
  for (const [at, bundle] of wanted.entries()) {
    progress.update({ phase: `copying bundle ${at + 1} of ${wanted.length}` });
    try {
      bundles.push(...(await copyByChild(pair.lane, bundle)).bundles);
    } catch (error) {
      if (isCancellation(error)) throw error;
      const code = codeOf(error) ?? 'Unexpected';
      failed.push({ bundle, code, message: messageOf(error) });
      // a store that does not answer for one bundle answers for none
      if (code === 'StoreUnreachable' || code === 'StoreRefused' || code === 'StoreFull') break;
    }
  }
  return { bundles, failed };
}

function copyByChild(lane: string, bundle: string): Promise<ReplicateResult> {
  return executeChild<(input: unknown) => Promise<ReplicateResult>>(workflowNames.replicateBundle, {
    workflowId: `${workflowInfo().workflowId}/${bundle}`,
    args: [{ lane, bundle }],
    staticSummary: `replicate ${bundle} of ${lane}`,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    workflowTaskTimeout: '5s',
  });
}

async function copyOne(copy: BundleCopy, streams: number, progress: ProgressBoard): Promise<CopiedBundle> {
  const plan = await vault.planReplica(copy);
  progress.update({
    phase: `copying bundle ${copy.bundle}`,
    segmentsTotal: plan.batches.reduce((sum, { segments }) => sum + segments.length, 0),
    bytesTotal: plan.batches.reduce((sum, { sealedBytes }) => sum + sealedBytes, 0),
  });
  const copied = await inParallel(plan.batches, streams, async ({ segments, sealedBytes }) => {
    const what = `${segments[0]}${segments.length > 1 ? ` and ${segments.length - 1} more` : ''}`;
    const done = await vaultStream(sealedBytes, what).copySegments({ ...copy, segments });
    progress.advance(sealedBytes, segments.length);
    return done;
  });
  requireWhole(copy, [...plan.faults, ...copied.flatMap(({ faults }) => faults)]);
  progress.update({ phase: 'committing the copy' });
  const manifest = await vault.commitReplica(copy);
  const sum = (of: (done: Omit<CopiedSegments, 'faults'>) => number): number =>
    [...copied, manifest].reduce((total, done) => total + of(done), 0);
  return {
    bundle: copy.bundle,
    sentObjects: sum(({ sentObjects }) => sentObjects),
    sentBytes: sum(({ sentBytes }) => sentBytes),
    presentObjects: plan.presentObjects + sum(({ presentObjects }) => presentObjects),
  };
}

/** A manifest is never copied to where something that it names is missing or wrong. ReplicaDamaged, ObjectMissing, BundleDamaged. */
function requireWhole({ from, to, bundle }: BundleCopy, faults: readonly ObjectFault[]): void {
  const [first] = faults;
  if (first === undefined) return;
  const atSource = first.what === 'missing' ? 'ObjectMissing' : 'BundleDamaged';
  const code = faults.some(({ store }) => store === to) ? 'ReplicaDamaged' : atSource;
  throw workflowFailure(code, `bundle ${bundle} was not copied from ${from} to ${to}: ${faultText(faults)}`, {
    bundle,
    store: to,
    count: faults.length,
  });
}
