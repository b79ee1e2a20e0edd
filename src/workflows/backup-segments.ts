// The segments of one bundle: planned, streamed, and taken again where files changed meanwhile. A plan whose lists
// were lost on the lane is made anew, and no finished segment is sent again.

import type { Operation } from '../contract/inputs.ts';
import type { SegmentPlan, SegmentResult } from '../contract/results.ts';
import type { BackupPlan, Consistency, PlannedSegments, Predecessor } from '../contract/step-types.ts';
import { limits } from '../domain/limits.ts';
import { formatBytes } from '../domain/quantity.ts';
import { codeOf, workflowFailure } from './failures.ts';
import { inParallel } from './in-parallel.ts';
import type { Section } from './section.ts';
import { dataStream, vault } from './steps.ts';

export type Backup = Extract<Operation, { kind: 'backup' }>;

export interface Written {
  readonly plan: BackupPlan;
  readonly results: readonly SegmentResult[];
  readonly reused: ReadonlySet<string>;
  readonly predecessor: Predecessor | null;
  readonly warnings: readonly string[];
}

/** Plans and streams; a plan whose lists were lost on the lane is made anew, and finished segments are kept. */
export async function writeSegments(section: Section, operation: Backup): Promise<Written> {
  const finished = new Map<string, SegmentResult>();
  for (let round = 1; ; round++) {
    try {
      return await writePlan(section, operation, finished);
    } catch (error) {
      if (codeOf(error) !== 'PlanLost' || round === planRounds) throw error;
    }
  }
}
/** The lists are a cache on the lane; three losses in one run are no accident. */
const planRounds = 3;

async function writePlan(section: Section, operation: Backup, finished: Map<string, SegmentResult>): Promise<Written> {
  const { spec, progress } = section;
  const request = {
    bundle: operation.bundle,
    tier: operation.tier,
    exclude: spec.exclude,
    segmentBytes: spec.limits.segmentBytes,
  };
  const data = dataStream(limits.segmentBytes);

  progress.update({ phase: 'listing the lane and copying its databases' });
  const plan = await data.captureLane({ ...section.mutating(), ...request, secrets: spec.secrets });
  const reusable = await findReusable(section, plan);
  const reused = new Set<string>();
  const lookUp = (segment: SegmentPlan): SegmentResult | undefined => {
    const known = finished.get(segment.fingerprint) ?? reusable.known.get(segment.fingerprint);
    if (known && segment.reusable && !finished.has(segment.fingerprint)) reused.add(segment.id);
    return segment.reusable ? known : undefined;
  };
  const { segments, consistency } = plan;
  const results = await streamSegments(section, operation, { segments, consistency, lookUp, finished });

  const supplement = await takeSupplements(section, operation, plan, results);
  const secrets = await backUpSecrets(section, operation, supplement.plan);
  return {
    plan: secrets.plan,
    warnings: [...plan.warnings, ...secrets.warnings],
    results: [...supplement.results, ...secrets.results],
    reused,
    predecessor: reusable.predecessor,
  };
}

function merge(plan: BackupPlan, more: PlannedSegments): BackupPlan {
  return {
    ...plan,
    segments: [...plan.segments, ...more.segments],
    omissions: [...plan.omissions, ...more.omissions],
  };
}

async function findReusable(
  section: Section,
  plan: BackupPlan,
): Promise<{ predecessor: Predecessor | null; known: Map<string, SegmentResult> }> {
  const { fleet, lane, store } = section.spec;
  const fingerprints = plan.segments.filter((segment) => segment.reusable).map((segment) => segment.fingerprint);
  const { predecessor, segments } = await vault.findReusable({ fleet, lane, store, fingerprints });
  const known = new Map(
    segments.map(({ fingerprint, ...stored }) => [fingerprint, { ...stored, id: '', vanished: 0, torn: 0 }]),
  );
  return { predecessor, known };
}

interface ToStream {
  readonly segments: readonly SegmentPlan[];
  readonly consistency: Consistency;
  /** What is in the store already. */
  readonly lookUp: (segment: SegmentPlan) => SegmentResult | undefined;
  /** Filled with what another plan of this run may keep. */
  readonly finished: Map<string, SegmentResult>;
}

async function streamSegments(
  section: Section,
  operation: Backup,
  { segments, consistency, lookUp, finished }: ToStream,
): Promise<SegmentResult[]> {
  const { spec, progress } = section;
  const known = segments.map((segment) => lookUp(segment));
  const bytesOf = (wanted: boolean): number =>
    segments.reduce((sum, segment, at) => sum + ((known[at] !== undefined) === wanted ? segment.sizeBytes : 0), 0);
  progress.update({
    phase: 'streaming segments',
    segmentsTotal: segments.length,
    segmentsDone: known.filter(Boolean).length,
    bytesTotal: bytesOf(false),
    bytesDone: 0,
    reusedBytes: bytesOf(true),
  });
  return inParallel(
    segments.map((segment, at) => ({ segment, stored: known[at] })),
    spec.limits.streams,
    async ({ segment, stored }) => {
      if (stored) return { ...stored, id: segment.id };
      const what = `${segment.id} ${segment.component}, ${formatBytes(segment.sizeBytes)}`;
      const result = await dataStream(segment.sizeBytes, what).backupSegment({
        target: spec.target,
        store: spec.store,
        bundle: operation.bundle,
        segment,
        consistency,
      });
      if (result.torn === 0 && segment.reusable) finished.set(segment.fingerprint, result);
      progress.advance(segment.sizeBytes);
      return result;
    },
  );
}

/** Files that changed while they were read are taken again, until they hold still or the rounds are over. */
async function takeSupplements(
  section: Section,
  operation: Backup,
  first: BackupPlan,
  results: readonly SegmentResult[],
): Promise<{ plan: BackupPlan; results: SegmentResult[] }> {
  const request = {
    bundle: operation.bundle,
    tier: operation.tier,
    exclude: section.spec.exclude,
    segmentBytes: section.spec.limits.segmentBytes,
  };
  let plan = first;
  const all = [...results];
  let torn = tornSegments(first.segments, results);
  for (let round = 1; torn.length > 0; round++) {
    section.progress.update({ phase: `taking changed files again (round ${round})` });
    const more = await dataStream(limits.segmentBytes).planSupplement({
      ...section.mutating(),
      ...request,
      firstNumber: plan.segments.length + 1,
      consistency: plan.consistency,
      segments: torn,
    });
    const taken = await streamSegments(section, operation, {
      segments: more.segments,
      consistency: plan.consistency,
      lookUp: () => undefined,
      finished: new Map(),
    });
    plan = merge(plan, more);
    all.push(...taken);
    torn = tornSegments(more.segments, taken);
    if (torn.length > 0 && round >= limits.supplementRounds) {
      throw workflowFailure(
        'FileNeverStill',
        `${torn.length} supplement segments of lane ${section.spec.lane} held files that kept changing over ${round} rounds`,
        { lane: section.spec.lane, count: torn.length },
      );
    }
  }
  return { plan, results: all };
}

function tornSegments(
  segments: readonly SegmentPlan[],
  results: readonly SegmentResult[],
): { id: string; base: SegmentPlan['base'] }[] {
  return segments.filter((_, at) => (results[at]?.torn ?? 0) > 0).map(({ id, base }) => ({ id, base }));
}

async function backUpSecrets(
  section: Section,
  operation: Backup,
  plan: BackupPlan,
): Promise<{ plan: BackupPlan; results: SegmentResult[]; warnings: readonly string[] }> {
  const { spec, progress } = section;
  if (spec.secrets.length === 0) return { plan, results: [], warnings: [] };
  progress.update({ phase: 'sealing Keychain items' });
  const segmentId = `s-${String(plan.segments.length + 1).padStart(4, '0')}`;
  const secrets = await dataStream(0).backupSecrets({
    target: spec.target,
    store: spec.store,
    bundle: operation.bundle,
    segmentId,
    items: spec.secrets,
  });
  return {
    plan: { ...plan, segments: [...plan.segments, secrets.plan] },
    results: [secrets.result],
    warnings: secrets.warnings,
  };
}
