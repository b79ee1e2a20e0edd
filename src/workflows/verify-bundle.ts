// Verifies what lies in a lane's store, or in its replica: signatures, presence, digests, a rotating sample opened, and
// files of the newest bundle compared with the lane. It changes nothing but a record beside the bundles and the lane's
// report, and so enters no section. What is wrong is no failure of this workflow: it is its answer, and the next backup
// sends it again.

import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { VerifyBundleInput } from '../contract/inputs.ts';
import { queues, searchAttributes } from '../contract/names.ts';
import type { ObjectFault } from '../contract/results.ts';
import type { ResolvedLane } from '../contract/step-types.ts';
import type { LaneComparison, VerifyPlan, VerifyRequest, VerifyResult } from '../contract/verify.ts';
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
  progress.update({ phase: 'keeping what was found' });
  const coverage = await record(request, plan, faults);
  progress.update({ phase: 'comparing with the lane' });
  const live = await compareLane(request, resolved, plan, faults);
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
  { newest }: VerifyPlan,
): ReturnType<ReturnType<typeof vaultStream>['verifyDatabases']> {
  if (newest === null || sample === 'none') return { checked: 0, tooLarge: 0, dangling: 0, faults: [] };
  return vaultStream(0, newest).verifyDatabases({ fleet, lane, store, bundle: newest });
}

/** Last, for what was found in the store is kept whatever becomes of the lane. The report takes so many lines. */
async function compareLane(
  { fleet, lane, store, sample }: VerifyRequest,
  { fleetDigest }: ResolvedLane,
  { newest }: VerifyPlan,
  faults: readonly ObjectFault[],
): Promise<LaneComparison> {
  const bundle = sample === 'none' ? null : newest;
  const told = faults.filter(({ segment }) => segment !== undefined).slice(0, limits.reportLines);
  if (bundle === null && told.length === 0) return { state: 'skipped', compared: 0, changed: 0, different: 0 };
  const { target } = await host.describeLane({ lane, fleetDigest });
  const what = `${limits.compareFiles} files`;
  return vaultStream(limits.compareBytes, what).compareLane({ target, fleet, lane, store, bundle, faults: told });
}

function record(
  { fleet, lane, store, withinMs }: VerifyRequest,
  { batches }: VerifyPlan,
  faults: readonly ObjectFault[],
): Promise<VerifyResult['coverage']> {
  const { startTime, runId } = workflowInfo();
  const isBad = (bundle: string, segment: string): boolean =>
    faults.some((fault) => fault.bundle === bundle && fault.segment === segment);
  return vault.recordVerification({
    fleet,
    lane,
    store,
    withinMs,
    run: bundleIdOf(startTime.getTime(), runId),
    opened: batches.map(({ bundle, open }) => ({ bundle, segments: open.filter((id) => !isBad(bundle, id)) })),
    bad: faults.flatMap(({ bundle, segment }) => (segment === undefined ? [] : [{ bundle, segment }])),
  });
}
