// What of a lane's bundles can be compared with the lane: files that lie there as they did when they were saved. Of each
// component the newest bundle that holds it, for a tier A has neither transcripts nor workspace. Pure.

import type { Manifest, ManifestSegment } from '../../bundle/manifest.ts';
import type { Component } from '../../domain/terms.ts';

export interface Named {
  readonly bundle: string;
  readonly segment: ManifestSegment;
}

/** @param manifests newest first */
export function comparableOf(manifests: readonly Manifest[]): Named[] {
  const held = new Set<Component>();
  return manifests.flatMap(({ bundle, segments }) => {
    const fresh = segments.filter(({ component }) => !held.has(component));
    for (const { component } of fresh) held.add(component);
    return fresh.filter(isOfFiles).map((segment) => ({ bundle, segment }));
  });
}

/** Copies of databases were made for the bundle, and secrets lie in the Keychain: neither is a file of the home. */
function isOfFiles({ kind, base }: ManifestSegment): boolean {
  return base === 'home' && kind !== 'secrets';
}
