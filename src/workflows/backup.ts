// One tier of one lane into one bundle. The gateway is never stopped. A finished segment is not sent again within a run,
// however often workers die. When the run itself fails, its segments stay in the store and are no other run's: only
// signed manifests say what may be referred to, so the next run sends them anew, and the sweep removes the old ones.

import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { queues } from '../contract/names.ts';
import type { BackupResult } from '../contract/results.ts';
import type { BackupLogLine, Survey } from '../contract/step-types.ts';
import { limits } from '../domain/limits.ts';
import { type Backup, type Written, writeSegments } from './backup-segments.ts';
import { codeOf, messageOf } from './failures.ts';
import type { Section } from './section.ts';
import { dataStream, host, vault } from './steps.ts';

export async function backUp(section: Section, operation: Backup): Promise<BackupResult> {
  const startedMs = Date.now();
  try {
    const result = await writeBundle(section, operation, startedMs);
    const outcome = result.suspect.length > 0 ? 'suspect' : 'ok';
    const warnings = await finish(section, operation, {
      ...lineOf(operation, result),
      outcome,
      elapsedMs: result.elapsedMs,
      errorCode: null,
    });
    const left = outcome === 'ok' ? await dropOldBaks(section) : [];
    return { ...result, warnings: [...result.warnings, ...warnings, ...left] };
  } catch (error) {
    const line: BackupLogLine = {
      ...lineOf(operation),
      elapsedMs: Date.now() - startedMs,
      outcome: isCancellation(error) ? 'cancelled' : 'failed',
      errorCode: codeOf(error) ?? 'Unexpected',
    };
    await finish(section, operation, line);
    throw error;
  }
}

function lineOf(
  operation: Backup,
  result?: BackupResult,
): Pick<BackupLogLine, 'tier' | 'bundle' | 'sizeBytes' | 'manifestSha256'> {
  return {
    tier: operation.tier,
    bundle: operation.bundle,
    sizeBytes: result?.sizeBytes ?? 0,
    manifestSha256: result?.manifestSha256 ?? null,
  };
}

/** Log line and tidying: what fails here costs no bundle, and is told as a warning. */
async function finish(section: Section, operation: Backup, line: BackupLogLine): Promise<string[]> {
  return CancellationScope.nonCancellable(async () => {
    const warnings: string[] = [];
    const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        warnings.push(`${what}: ${messageOf(error)}`);
      }
    };
    await attempt('the log line on the host was not written', () =>
      host.appendBackupLog({ target: section.target, line }),
    );
    await attempt('the run directory on the lane was not removed', () =>
      host.tidyLane({ ...section.mutating(), run: operation.bundle }),
    );
    return warnings;
  });
}

/** A good bundle is there: what the last restore replaced may go, once it is old enough. */
async function dropOldBaks(section: Section): Promise<string[]> {
  try {
    await vault.dropOldBaks(section.mutating());
    return [];
  } catch (error) {
    if (isCancellation(error)) return [];
    return [`what the last restore replaced was not removed: ${messageOf(error)}`];
  }
}

async function writeBundle(section: Section, operation: Backup, startedMs: number): Promise<BackupResult> {
  const { spec, progress } = section;
  progress.update({ phase: 'looking for workers' });
  await host.requirePollers({ queues: [queues.data, queues.vault], waitMs: limits.pollerWaitMs });
  progress.update({ phase: 'surveying the host' });
  const survey = await host.surveyLane({ target: spec.target });
  const written = await writeSegments(section, operation);

  progress.update({ phase: 'committing the manifest' });
  const createdAt = new Date(Date.now()).toISOString();
  const manifest = await dataStream(0).commitManifest({
    target: spec.target,
    store: spec.store,
    bundle: operation.bundle,
    tier: operation.tier,
    region: spec.region,
    startedAt: new Date(startedMs).toISOString(),
    createdAt,
    plan: written.plan,
    results: written.results,
    survey,
    predecessor: written.predecessor,
  });
  return summarise(section, operation, { ...written, survey, manifest, elapsedMs: Date.now() - startedMs });
}

function summarise(
  section: Section,
  operation: Backup,
  made: Written & {
    readonly survey: Survey;
    readonly manifest: { readonly sha256: string; readonly suspect: readonly string[] };
    readonly elapsedMs: number;
  },
): BackupResult {
  const fresh = made.results.filter((result) => !made.reused.has(result.id));
  return {
    bundle: operation.bundle,
    lane: section.spec.lane,
    host: section.target.host.name,
    tier: operation.tier,
    manifestSha256: made.manifest.sha256,
    segments: made.results.length,
    reusedSegments: made.reused.size,
    sizeBytes: made.results.reduce((sum, result) => sum + result.plainBytes, 0),
    sealedBytes: fresh.reduce((sum, result) => sum + result.sealedBytes + result.index.sealedBytes, 0),
    elapsedMs: made.elapsedMs,
    omissions: made.plan.omissions,
    suspect: made.manifest.suspect,
    warnings: [...made.survey.warnings, ...made.warnings],
  };
}
