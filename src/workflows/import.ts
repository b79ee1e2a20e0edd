// An archive of the old scripts becomes a bundle of its lane, inside the lane's section, so that no sweep takes what it
// has written for a leftover. The lane itself is not touched: the worker reads the archive, not the Mac.

import type { ImportResult } from '../contract/results.ts';
import type { Survey } from '../contract/step-types.ts';
import type { Section } from './section.ts';
import { dataStream } from './steps.ts';

/** It is read twice, decrypted, and sealed once. */
const readings = 4;

/** What an archive does not tell of the host that it is of. */
const unknownHost: Survey = {
  openclawVersion: null,
  os: 'unknown',
  timeZone: 'UTC',
  clockOffsetMs: 0,
  freeBytes: 0,
  totalBytes: 0,
  versionKnown: true,
  warnings: [],
};

/** @returns the bundle; an archive that was imported before is answered with the bundle of then */
export async function importArchive(section: Section, archive: string): Promise<ImportResult> {
  const { spec, progress } = section;
  const startedAt = new Date(Date.now()).toISOString();
  const { target, store, exclude } = spec;
  progress.update({ phase: 'looking for the archive' });
  const { sizeBytes } = await dataStream(0).findArchive({ target, archive });
  progress.update({ phase: 'reading the archive' });
  const { segmentBytes } = spec.limits;
  const made = await dataStream(readings * sizeBytes, archive).importArchive({
    target,
    store,
    archive,
    exclude,
    segmentBytes,
  });
  const { bundle, tier, already, plan, results, from } = made;
  const { suspect } = already
    ? { suspect: [] }
    : await dataStream(0).commitManifest({
        target,
        store,
        bundle,
        tier,
        region: spec.region,
        startedAt,
        createdAt: new Date(Date.now()).toISOString(),
        plan,
        results,
        survey: unknownHost,
        predecessor: null,
        imported: from,
      });
  return {
    lane: spec.lane,
    archive,
    bundle,
    tier,
    capturedAt: plan.capturedAt,
    already,
    segments: results.length,
    sizeBytes: results.reduce((sum, result) => sum + result.plainBytes, 0),
    sealedBytes: results.reduce((sum, result) => sum + result.sealedBytes + result.index.sealedBytes, 0),
    omissions: plan.omissions,
    suspect,
  };
}
