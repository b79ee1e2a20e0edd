// What a manifest's fields must be to each other. Pure; what is wrong is said with field and numbers.

import type { Component } from '../domain/terms.ts';
import type { ComponentTotals, Manifest, ManifestSegment } from './manifest-schema.ts';

/** The totals of each component, as a manifest holds them. */
export function totalsOf(
  segments: readonly Pick<ManifestSegment, 'component' | 'plainBytes' | 'members'>[],
): Partial<Record<Component, ComponentTotals>> {
  const totals: Partial<Record<Component, ComponentTotals>> = {};
  for (const { component, plainBytes, members } of segments) {
    const sum = totals[component] ?? { segments: 0, plainBytes: 0, members: 0 };
    totals[component] = {
      segments: sum.segments + 1,
      plainBytes: sum.plainBytes + plainBytes,
      members: sum.members + members,
    };
  }
  return totals;
}

/** @returns the first contradiction, or undefined */
export function manifestFault(manifest: Manifest): string | undefined {
  return (
    duplicate(manifest.segments) ??
    manifest.segments.map(segmentFault).find((fault) => fault !== undefined) ??
    totalsFault(manifest)
  );
}

function duplicate(segments: readonly ManifestSegment[]): string | undefined {
  const ids = new Set(segments.map(({ id }) => id));
  if (ids.size !== segments.length) return `segments: ${segments.length} segments have ${ids.size} ids`;
  const objects = new Set(segments.map(({ fingerprint, suffix }) => `${fingerprint}-${suffix}`));
  return objects.size === segments.length
    ? undefined
    : `segments: ${segments.length} segments have ${objects.size} objects`;
}

function segmentFault({
  id,
  kind,
  component,
  range,
  plainBytes,
  reusable,
  supplement,
}: ManifestSegment): string | undefined {
  if ((kind === 'range') !== (range !== undefined))
    return `segments.${id}.range: a ${kind} segment ${range ? 'has' : 'lacks'} one`;
  if (range !== undefined && range.length !== plainBytes)
    return `segments.${id}.plainBytes: ${plainBytes}, its range has ${range.length}`;
  if ((kind === 'secrets') !== (component === 'secrets'))
    return `segments.${id}.kind: ${kind} in component ${component}`;
  return reusable && supplement ? `segments.${id}.reusable: a supplement never is` : undefined;
}

function totalsFault({ components, segments }: Manifest): string | undefined {
  const counted = totalsOf(segments);
  const names = new Set([...Object.keys(components), ...Object.keys(counted)] as Component[]);
  const wrong = [...names].sort().find((name) => !sameTotals(components[name], counted[name]));
  return wrong === undefined ? undefined : `components.${wrong}: the totals are not those of its segments`;
}

function sameTotals(a: ComponentTotals | undefined, b: ComponentTotals | undefined): boolean {
  return a?.segments === b?.segments && a?.plainBytes === b?.plainBytes && a?.members === b?.members;
}
