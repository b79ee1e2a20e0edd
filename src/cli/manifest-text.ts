// What a manifest says, as people read it. Pure.

import type { Manifest } from '../bundle/manifest.ts';
import { type Component, components } from '../domain/terms.ts';
import { formatBytes, formatDuration, formatInstant, formatTable, plural } from './format.ts';

export function heldBy(manifest: Manifest): Component[] {
  return components.filter((component) => (manifest.components[component]?.segments ?? 0) > 0);
}

export function sizesOf({ segments }: Manifest): {
  readonly segments: number;
  readonly sizeBytes: number;
  readonly sealedBytes: number;
} {
  return {
    segments: segments.length,
    sizeBytes: segments.reduce((sum, { plainBytes }) => sum + plainBytes, 0),
    sealedBytes: segments.reduce((sum, { sealedBytes, index }) => sum + sealedBytes + index.sealedBytes, 0),
  };
}

export function manifestText(manifest: Manifest, sha256: string, store: string): string {
  const {
    bundle,
    lane,
    fleet,
    tier,
    profile,
    capturedAt,
    host,
    consistency,
    predecessor,
    suspect = [],
    omissions,
    recipients,
  } = manifest;
  const { segments, sizeBytes, sealedBytes } = sizesOf(manifest);
  const rows = [
    ['lane', `${lane} of fleet ${fleet}, on ${host.name} in ${host.region} (${host.os})`],
    ['captured', `${formatInstant(capturedAt)}, ${formatDuration(Date.now() - Date.parse(capturedAt))} ago`],
    ['OpenClaw', `${host.openclawVersion ?? 'version unknown'}, profile ${profile}`],
    ['holds', `${formatBytes(sizeBytes)} in ${plural(segments, 'segment')}, ${formatBytes(sealedBytes)} at rest`],
    ['files', consistency === 'cloned' ? 'from a clone of one moment' : 'compared before and after they were read'],
    ['follows', predecessor?.bundle ?? 'none'],
    ['opens with', recipients.map(({ name, fingerprint }) => `${name} (${fingerprint.slice(0, 16)}…)`).join(', ')],
    ...(omissions.length > 0
      ? [['left out', omissions.map(({ reason, count }) => `${count} ${reason}`).join(', ')]]
      : []),
    ['manifest', `SHA-256 ${sha256}, signature good, read from ${store}`],
    ...suspect.map((reason) => ['SUSPECT', reason]),
  ];
  const parts = heldBy(manifest).map((component) => {
    const totals = manifest.components[component];
    return [
      component,
      String(totals?.segments ?? 0),
      String(totals?.members ?? 0),
      formatBytes(totals?.plainBytes ?? 0),
    ];
  });
  return [
    `bundle ${bundle} (tier ${tier})`,
    formatTable([], rows),
    '',
    formatTable(['component', 'segments', 'members', 'size'], parts),
  ].join('\n');
}
