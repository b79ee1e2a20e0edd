// Is a bundle believable? One whose class 1 is empty, or of which a part shrank by half since its predecessor, is
// marked suspect: it alerts, and expiry stands still. Pure.

import { limits } from '../domain/limits.ts';
import { type Component, components } from '../domain/terms.ts';
import type { ManifestSegment } from './manifest-schema.ts';

type Judged = Pick<ManifestSegment, 'component' | 'kind' | 'plainBytes' | 'members'>;

/** Only what the tier holds is compared: a tier A after a tier B has not shrunk. */
export type SuspectReason = 'class-one-empty' | 'whole-shrank' | `${Component}-shrank`;

/**
 * @param segments of the bundle that is judged
 * @param predecessor segments of the bundle before it, where there is one
 * @param expected what the judged bundle's tier holds: of these a part that is missing altogether has shrunk too
 * @returns why it is suspect; empty when it is not
 */
export function suspectReasons(
  segments: readonly Judged[],
  predecessor: readonly Judged[] | undefined,
  expected: readonly Component[],
): SuspectReason[] {
  const reasons: SuspectReason[] = classOneEmpty(segments) ? ['class-one-empty'] : [];
  if (predecessor === undefined) return reasons;
  const shared = components.filter(
    (component) => expected.includes(component) && predecessor.some((one) => one.component === component),
  );
  const shrank = (among: readonly Component[]): boolean =>
    bytesOf(segments, among) < limits.suspectShrinkRatio * bytesOf(predecessor, among);
  reasons.push(...shared.filter((component) => shrank([component])).map((component) => `${component}-shrank` as const));
  if (shrank(shared)) reasons.push('whole-shrank');
  return reasons;
}

/** A plist alone brings no lane back: configuration must have files. */
function classOneEmpty(segments: readonly Judged[]): boolean {
  return !segments.some(
    ({ component, kind, members }) => component === 'config' && kind !== 'directories' && members > 0,
  );
}

function bytesOf(segments: readonly Judged[], among: readonly Component[]): number {
  return segments
    .filter(({ component }) => among.includes(component))
    .reduce((sum, { plainBytes }) => sum + plainBytes, 0);
}
