// The bench's tables, for people.

import type { ComparisonReport } from './comparison.ts';
import type { LinksReport } from './links.ts';
import type { MemoryReport } from './memory.ts';

const mib = 1024 * 1024;
const count = (value: number, digits = 1): string => value.toFixed(digits);

export function comparisonLines(report: ComparisonReport): string[] {
  const head = ['', 'by', 'seconds', 'CPU s/GB', 'peak MiB', 'at rest MB'];
  const widths = [14, 12, 9, 9, 9, 11];
  const row = (cells: readonly string[]): string =>
    cells.map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('');
  return [
    `${count(report.sizeBytes / 1e6, 0)} MB, medians of ${report.rounds}; load ${report.loads.map((load) => count(load)).join(' ')}`,
    row(head),
    ...report.medians.map((one) =>
      row([
        one.what,
        one.by,
        count(one.seconds),
        count(one.cpuSecondsPerGb),
        count(one.peakRssBytes / mib, 0),
        one.storedBytes === null ? '' : count(one.storedBytes / 1e6, 0),
      ]),
    ),
    ...report.aims.map(
      ({ aim, ratio, atMost, met }) => `${met ? 'met   ' : 'MISSED'} ${aim}: ${count(ratio, 2)}, aim at most ${atMost}`,
    ),
  ];
}

export function memoryLines({ sizeBytes, processes, ok, limitBytes }: MemoryReport): string[] {
  return [
    `${count(sizeBytes / 1e6, 0)} MB backed up and restored`,
    ...processes.map(
      ({ pid, backupBytes, restoreBytes }) =>
        `process ${pid}: at most ${count(backupBytes / mib, 0)} MiB in the backup, ${count(restoreBytes / mib, 0)} MiB in the restore`,
    ),
    `${ok ? 'held' : 'MISSED'}: at most ${count(limitBytes / mib, 0)} MiB for each`,
  ];
}

export function linksLines({ sizeBytes, linkBytesPerSecond, cores, loadBefore, rows, aims }: LinksReport): string[] {
  return [
    `${count(sizeBytes / 1e6, 0)} MB a lane, each behind ${count(linkBytesPerSecond / 1e6, 0)} MB/s; ${cores} cores, load ${count(loadBefore)}`,
    ...rows.map(
      ({ what, round, one, three, ratio }) =>
        `round ${round}, ${what}: one lane ${count(one.seconds)} s (${count(one.coresBusy)} cores busy), slowest of three ${count(three.seconds)} s (${count(three.coresBusy)}): ${count(ratio, 2)}`,
    ),
    ...aims.map(
      ({ aim, ratio, atMost, met }) =>
        `${met ? 'met   ' : 'MISSED'} ${aim}, three lanes against one: ${count(ratio, 2)}, aim at most ${atMost}`,
    ),
  ];
}
