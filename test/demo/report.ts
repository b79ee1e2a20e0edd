// The demo's table, for people.

import type { DemoReport, LaneReport } from './run-demo.ts';

export function printReport(report: DemoReport): void {
  const lines = [
    '',
    ...report.lanes.map(backupLine),
    '',
    ...report.lanes.flatMap(({ lane, restore }) => (restore ? restoreLines(lane, restore) : [])),
    '',
    `${report.ok ? 'all held' : 'NOT all held'}; ${seconds(report.elapsedMs)} (set-up ${seconds(report.setupMs)} apart), bed: ${report.bed}, store: ${report.store}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function backupLine({ lane, backup }: LaneReport): string {
  return `backed up ${lane.padEnd(8)} ${megabytes(backup.sizeBytes).padStart(10)} in ${String(backup.segments).padStart(2)} segments, ${megabytes(backup.sealedBytes)} sealed, ${seconds(backup.elapsedMs)}: bundle ${backup.bundle}`;
}

function restoreLines(lane: string, restore: NonNullable<LaneReport['restore']>): string[] {
  const rows = restore.steps.map(
    ({ step, ms, budgetMs }) =>
      `  ${step.padEnd(10)} ${seconds(ms).padStart(9)}   ${`${budgetMs / 60_000} min`.padStart(7)}`,
  );
  return [
    `restored ${lane}`,
    `  ${'step'.padEnd(10)} ${'time'.padStart(9)}   ${'budget'.padStart(7)}`,
    ...rows,
    `  ${'RTO'.padEnd(10)} ${seconds(restore.rtoMs).padStart(9)}   ${'90 min'.padStart(7)}`,
    ...restore.rpo.map(({ dataClass, rpoMs, bundle }) => `  RPO class ${dataClass}: ${seconds(rpoMs)} (${bundle})`),
    `  message answered: ${restore.messageAnswered ? 'yes' : 'NO'}`,
    `  tree identical by digest: ${restore.identical ? 'yes' : 'NO'}`,
    ...restore.differences.map((line) => `    ${line}`),
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
