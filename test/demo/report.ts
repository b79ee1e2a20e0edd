// The demo's tables, for people whose terminal has 80 columns.

import { foldText } from '../../src/cli/format.ts';
import type { RestoreResult } from '../../src/contract/results.ts';
import type { LaneReport } from './bad-day.ts';
import type { IncidentReport } from './incident.ts';
import type { DemoReport } from './run-demo.ts';
import type { GateReport } from './short-gate.ts';

const columns = 80;

export function printReport(report: DemoReport): void {
  process.stdout.write(`${reportLines(report).flatMap(folded).join('\n')}\n`);
}

export function reportLines(report: DemoReport): string[] {
  const { ok, elapsedMs, setupMs, bed, store, lanes, incidents, gate, leftOut } = report;
  return [
    '',
    ...backupLines(lanes),
    ...incidents.flatMap(incidentLines),
    '',
    ...restoreLines(report),
    ...(gate === null ? [] : gateLines(gate)),
    ...receiptLines(report),
    '',
    ...leftOut,
    `${ok ? 'all held' : 'NOT all held'}; ${seconds(elapsedMs)} (set-up ${seconds(setupMs)} apart), bed: ${bed}, store: ${store}`,
  ];
}

function backupLines(lanes: readonly LaneReport[]): string[] {
  const row = (lane: string, cells: readonly string[], bundle: string): string =>
    `  ${lane.padEnd(8)}${cells.map((cell) => cell.padStart(10)).join('')}  ${bundle}`;
  return [
    `backed up ${lanes.length} lanes`,
    row('lane', ['data', 'segments', 'sealed', 'time'], 'bundle'),
    ...lanes.map(({ lane, backup: { bundle, sizeBytes, segments, sealedBytes, elapsedMs } }) =>
      row(lane, [megabytes(sizeBytes), String(segments), megabytes(sealedBytes), seconds(elapsedMs)], bundle),
    ),
  ];
}

function incidentLines(incident: IncidentReport): string[] {
  const { scenario, subject, signal, foundMs, rtoMs, rtoBudgetMs, phase, messageAnswered, faults } = incident;
  return [
    '',
    `${scenario} of ${subject}: ${phase}`,
    `  first signal      ${signal?.text ?? 'none'}`,
    `  incident opened   ${seconds(foundMs)} after the disaster, by the watch`,
    `  recovered         ${rtoMs === null ? 'NO' : `${seconds(rtoMs)} after the first signal`}${rtoBudgetMs === null ? '' : `, of ${minutes(rtoBudgetMs)}`}`,
    `  message answered  ${messageAnswered ? 'yes' : 'NO'}`,
    ...faults.map((fault) => `  ${fault}`),
  ];
}

function gateLines({ host, phase, dayLengthMs, elapsedMs, days }: GateReport): string[] {
  return [
    '',
    `7-day gate of ${host}: ${phase}, with days of ${seconds(dayLengthMs ?? 0)}, ${seconds(elapsedMs)} in all`,
    ...days.map(({ day, action, state }) => `  day ${day}  ${state.padEnd(8)} ${action}`),
    ...days.flatMap(({ day, message, advice }) =>
      message === null ? [] : [`  day ${day}: ${message}`, ...advice.map((line) => `    -> ${line}`)],
    ),
  ];
}

/** How many, by what they are about, and the newest one opened. */
function receiptLines({ receipts, shown }: DemoReport): string[] {
  const good = receipts.filter(({ verified }) => verified);
  const kinds = [...new Set(receipts.map(({ kind }) => kind))];
  return [
    '',
    `receipts: ${good.length} of ${receipts.length} verified with the public key alone (${kinds.map((kind) => `${receipts.filter((one) => one.kind === kind).length} ${kind}`).join(', ')})`,
    ...shown.flatMap((line) => foldText(line, columns - 4)).map((line) => `  | ${line}`),
  ];
}

type Restored = LaneReport & { readonly restore: NonNullable<LaneReport['restore']> };

function isRestored(lane: LaneReport): lane is Restored {
  return lane.restore !== undefined;
}

/** A column a lane: they came back side by side, and are looked at so. */
function restoreLines({ lanes, fleet }: DemoReport): string[] {
  const restored = lanes.filter(isRestored);
  const row = (head: string, budget: string, cells: readonly string[]): string =>
    `  ${head.padEnd(18)} ${budget.padStart(7)}${cells.map((cell) => cell.padStart(11)).join('')}`;
  const each = (head: string, of: (restore: Restored['restore']) => string, budget = ''): string =>
    row(
      head,
      budget,
      restored.map(({ restore }) => of(restore)),
    );
  return [
    `restored ${restored.length} of ${lanes.length} lanes at once`,
    row(
      'step',
      'budget',
      restored.map(({ lane }) => lane),
    ),
    ...stepsOf(restored).map(({ step, budgetMs }) => each(step, (restore) => timeOf(restore, step), minutes(budgetMs))),
    each('RTO, one clock', ({ rtoMs }) => seconds(rtoMs), fleet.rtoBudgetMs === null ? '' : minutes(fleet.rtoBudgetMs)),
    ...classesOf(restored).map((dataClass) =>
      each(`RPO class ${dataClass}`, ({ rpo }) => seconds(rpo.find((one) => one.dataClass === dataClass)?.rpoMs ?? 0)),
    ),
    each('message answered', ({ messageAnswered }) => (messageAnswered ? 'yes' : 'NO')),
    each('identical', ({ identical }) => (identical ? 'yes' : 'NO')),
    ...restored.flatMap(({ lane, restore }) => restore.differences.map((line) => `  ${lane}: ${line}`)),
    ...lanes.flatMap(({ lane, failed }) => (failed === undefined ? [] : [`  ${lane} did NOT come back: ${failed}`])),
    `  ${seconds(fleet.wallMs)} in all; the lanes' own times add up to ${seconds(fleet.sequenceMs)}, the most that one after the other would take`,
  ];
}

function stepsOf([first]: readonly Restored[]): RestoreResult['steps'] {
  return first?.restore.steps ?? [];
}

function classesOf([first]: readonly Restored[]): number[] {
  return first?.restore.rpo.map(({ dataClass }) => dataClass) ?? [];
}

function timeOf({ steps }: Restored['restore'], step: string): string {
  return seconds(steps.find((one) => one.step === step)?.ms ?? 0);
}

/** What goes on in another line stands a little further in. */
function folded(line: string): string[] {
  const indent = /^ */.exec(line)?.[0] ?? '';
  if (line.length <= columns) return [line];
  return foldText(line.trimStart(), columns - indent.length, '  ').map((part) => `${indent}${part}`);
}

function minutes(ms: number): string {
  return `${ms / 60_000} min`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
