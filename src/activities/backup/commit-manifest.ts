// The commit point of a backup: the manifest, built from recorded results only, so that its bytes are the same
// under every retry; signed, and created, never overwritten. One that is there already is this one.

import { encodeManifest, type Manifest, type ManifestSegment } from '../../bundle/manifest.ts';
import { indexKey, manifestKey, segmentKey } from '../../bundle/object-keys.ts';
import { recipientFingerprint } from '../../bundle/recipient.ts';
import { suspectReasons } from '../../bundle/suspect.ts';
import type { SegmentPlan, SegmentResult } from '../../contract/results.ts';
import type { DataSteps, ManifestRequest } from '../../contract/steps.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { components } from '../../domain/terms.ts';
import type { Deps } from '../deps.ts';
import { activity } from '../step.ts';
import { createHash } from 'node:crypto';

export function commitManifestStep(deps: Deps): DataSteps['commitManifest'] {
  return activity(async (request, { signal }) => {
    const manifest = await buildManifest(deps, request);
    const bytes = encodeManifest(manifest, await deps.keys.manifestSigner());
    try {
      await deps.store(request.store).put(manifestKey(manifest.lane, manifest.bundle), bytes, { signal });
    } catch (error) {
      if (!isFailure(error, 'ObjectExists')) throw error;
    }
    return { sha256: createHash('sha256').update(bytes).digest('hex'), suspect: manifest.suspect ?? [] };
  });
}
