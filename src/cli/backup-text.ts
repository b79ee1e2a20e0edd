// A backup's result in words. Pure.

import type { BackupResult } from '../contract/results.ts';
import { formatBytes, formatDuration, formatTable, plural } from './format.ts';

export function backupText(result: BackupResult): string {
  const {
    lane,
    host,
    tier,
    bundle,
    segments,
    reusedSegments,
    sizeBytes,
    sealedBytes,
    elapsedMs,
    omissions,
    suspect,
    warnings,
    replica,
  } = result;
  const reused = reusedSegments > 0 ? `, ${reusedSegments} of them in the store already` : '';
  const rows = [
    ['bundle', bundle],
    ['holds', `${formatBytes(sizeBytes)} in ${plural(segments, 'segment')}${reused}`],
    ['written', `${formatBytes(sealedBytes)} sealed, in ${formatDuration(elapsedMs)}`],
    ...(replica === undefined ? [] : [['copy', `in store ${replica} too`]]),
    ...(omissions.length > 0
      ? [['left out', omissions.map(({ reason, count }) => `${count} ${reason}`).join(', ')]]
      : []),
    ...suspect.map((reason) => ['SUSPECT', reason]),
    ...warnings.map((warning) => ['warning', warning]),
  ];
  return `lane ${lane} on ${host} is backed up (tier ${tier})\n${formatTable([], rows)}`;
}
