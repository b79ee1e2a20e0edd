// Verifies what lies in a lane's store, or in its replica: signatures, presence, digests, a rotating sample opened, and
// files of the newest bundle compared with the lane. It changes nothing but a record beside the bundles and the lane's
// report, and so enters no section. What is wrong is no failure of this workflow: it is its answer, and the next backup
// sends it again.

import { isCancellation, setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { VerifyBundleInput } from '../contract/inputs.ts';
import { queues, searchAttributes } from '../contract/names.ts';
import type { ObjectFault } from '../contract/results.ts';
import type { ResolvedLane } from '../contract/step-types.ts';
import type {
  CompareBatch,
  LaneComparison,
  UncheckedDatabase,
  VerifyFindings,
  VerifyPlan,
  VerifyRequest,
  VerifyResult,
} from '../contract/verify.ts';
import { limits } from '../domain/limits.ts';
import { bundleIdOf } from '../domain/terms.ts';
import { verifyDetails } from './details.ts';
import { resolveLane } from './enter-section.ts';
import { asOwnFailure, workflowFailure } from './failures.ts';
import { inParallel } from './in-parallel.ts';
import { parseInput } from './input.ts';
import { ProgressBoard } from './section.ts';
import { host, vault, vaultStream } from './steps.ts';

export async function verifyBundle(raw: unknown): Promise<VerifyResult> {
  const input = parseInput(VerifyBundleInput, raw);
  const progress = new ProgressBoard('looking at manifests and listing the store');
  const resolved = await resolveLane(input.lane, undefined);
  upsertSearchAttributes([
    { key: searchAttributes.host, value: resolved.host },
    { key: searchAttributes.lane, value: input.lane },
  ]);
  const store = storeOf(input, resolved);
  const request = {
    fleet: resolved.fleet,
    lane: input.lane,
    store,
    bundle: input.bundle,
    sample: input.sample,
    withinMs: resolved.verifyWithinMs,
  };
  try {
    await host.requirePollers({ queues: [queues.vaultData] });
    const result = await verify(request, resolved, progress);
    upsertSearchAttributes([{ key: searchAttributes.verdict, value: isWrong(result) ? 'damaged' : 'ok' }]);
    setCurrentDetails(verifyDetails(result));
    return result;
  } catch (error) {
    throw asOwnFailure(error);
  }
}

function storeOf({ lane, store }: VerifyBundleInput, resolved: ResolvedLane): string {
  if (store === undefined || store === resolved.store || store === resolved.replica) return store ?? resolved.store;
  const there = [resolved.store, resolved.replica].filter((name) => name !== undefined).join(', ');
  throw workflowFailure('InvalidInput', `lane ${lane} has no bundles in store ${store} (its stores: ${there})`, {
    lane,
  });
}

function isWrong({ faults, live }: VerifyResult): boolean {
  return faults.length > 0 || live.different > 0;
}

async function verify(request: VerifyRequest, resolved: ResolvedLane, progress: ProgressBoard): Promise<VerifyResult> {
  const startedMs = Date.now();
  const { fleet, lane, store } = request;
  const plan = await vault.planVerification(request);
  const segments = plan.batches.reduce((sum, batch) => sum + batch.segments.length, 0);
  const bytesTotal = plan.batches.reduce((sum, batch) => sum + batch.sealedBytes, 0);
  progress.update({ phase: 'reading segments', segmentsTotal: segments, bytesTotal });
  const read = await inParallel(plan.batches, resolved.streams, async ({ sealedBytes, ...batch }) => {
    const what = `${batch.bundle} ${batch.segments[0]}`;
    const done = await vaultStream(sealedBytes, what).verifySegments({ fleet, lane, store, ...batch });
    progress.advance(sealedBytes, batch.segments.length);
    return done;
  });
  progress.update({ phase: 'checking databases' });
  const { faults: bad, ...databases } = await verifyDatabases(request, plan);
  const faults = [...plan.faults, ...read.flatMap((batch) => batch.faults), ...bad];
  progress.update({ phase: 'comparing with the lane' });
  const { live, compared, failure } = await compareLane(request, resolved, plan, { faults, ...databases });
  progress.update({ phase: 'keeping what was found' });
  const coverage = await record(request, plan, { faults, compared });
  if (failure !== undefined) throw failure;
  return {
    lane,
    store,
    bundles: plan.bundles,
    segments,
    opened: plan.batches.reduce((sum, { open }) => sum + open.length, 0),
    members: read.reduce((sum, { members }) => sum + members, 0),
    readBytes: read.reduce((sum, { readBytes }) => sum + readBytes, 0),
    databases,
    live,
    faults,
    gaps: plan.gaps,
    coverage,
    elapsedMs: Date.now() - startedMs,
  };
}

/** Of the newest bundle: an older one's were checked when it was that. */
async function verifyDatabases(
  { fleet, lane, store, sample }: VerifyRequest,
  { newest, databaseBytes }: VerifyPlan,
): ReturnType<ReturnType<typeof vaultStream>['verifyDatabases']> {
  if (newest === null || sample === 'none') return { checked: 0, tooLarge: 0, unchecked: [], dangling: 0, faults: [] };
  return vaultStream(databaseBytes, newest).verifyDatabases({ fleet, lane, store, bundle: newest });
}

interface Compared {
  readonly live: LaneComparison;
  readonly compared: VerifyFindings['compared'];
  /** Of the lane: what was found in the store is kept before it is told. */
  readonly failure?: Error;
}

/** Batch after batch, for all read one disk; a lane that falls silent is left alone. The report takes so many lines. */
async function compareLane(
  { fleet, lane, store }: VerifyRequest,
  { fleetDigest }: ResolvedLane,
  { compare }: VerifyPlan,
  { faults, unchecked }: { readonly faults: readonly ObjectFault[]; readonly unchecked: readonly UncheckedDatabase[] },
): Promise<Compared> {
  const named = faults.filter(({ segment }) => segment !== undefined).slice(0, limits.reportLines);
  const isTold = named.length + unchecked.length > 0;
  const batches = compare.length === 0 && isTold ? [{ bundle: null, segments: [], plainBytes: 0 }] : compare;
  const live: LaneComparison[] = [];
  const compared: CompareBatch[] = [];
  if (batches.length === 0) return { live: sumOf([]), compared };
  try {
    const { target } = await host.describeLane({ lane, fleetDigest });
    for (const { plainBytes, ...batch } of batches) {
      const told = live.length === 0 ? { faults: named, unchecked } : { faults: [], unchecked: [] };
      const what = `${batch.bundle ?? 'names'} ${batch.segments[0] ?? ''}`;
      const input = { target, fleet, lane, store, ...batch, ...told };
      const found = await vaultStream(plainBytes, what).compareLane(input);
      live.push(found);
      if (found.state === 'silent') break;
      if (batch.bundle !== null) compared.push({ ...batch, bundle: batch.bundle, plainBytes });
    }
  } catch (error) {
    if (isCancellation(error) || !(error instanceof Error)) throw error;
    return { live: sumOf(live), compared, failure: error };
  }
  return { live: sumOf(live), compared };
}

function sumOf(found: readonly LaneComparison[]): LaneComparison {
  const sum = (of: 'compared' | 'changed' | 'different'): number => found.reduce((total, one) => total + one[of], 0);
  const counts = { compared: sum('compared'), changed: sum('changed'), different: sum('different') };
  return { state: found.at(-1)?.state ?? 'skipped', ...counts };
}

function record(
  { fleet, lane, store, withinMs }: VerifyRequest,
  { batches }: VerifyPlan,
  { faults, compared }: { readonly faults: readonly ObjectFault[] } & Pick<Compared, 'compared'>,
): Promise<VerifyResult['coverage']> {
  const { startTime, runId } = workflowInfo();
  const isBad = (bundle: string, segment: string): boolean =>
    faults.some((fault) => fault.bundle === bundle && fault.segment === segment);
  const goodOnes = (bundle: string, segments: readonly string[]) => segments.filter((id) => !isBad(bundle, id));
  return vault.recordVerification({
    fleet,
    lane,
    store,
    withinMs,
    run: bundleIdOf(startTime.getTime(), runId),
    opened: batches.map(({ bundle, open }) => ({ bundle, segments: goodOnes(bundle, open) })),
    compared: compared.map(({ bundle, segments }) => ({ bundle, segments: goodOnes(bundle, segments) })),
    bad: faults.flatMap(({ bundle, segment }) => (segment === undefined ? [] : [{ bundle, segment }])),
  });
}
