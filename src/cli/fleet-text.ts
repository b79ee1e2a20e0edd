// A run over many lanes in words: the plan that is asked about, the table of what came of it, and its exit status. Pure.

import type { FleetLaneRow, FleetResult, VolumeRow } from '../contract/fleet-run.ts';
import type { DataClass } from '../domain/terms.ts';
import { type ExitName, failureTable } from '../domain/failure.ts';
import { formatBytes, formatDuration, formatTable, plural } from './format.ts';
import { nextCommand } from './next-command.ts';

/** The command to type next for a lane; null when there is nothing to do. */
export function nextOf({ kind }: Pick<FleetResult, 'kind'>, { lane, code, outcome }: FleetLaneRow): string | null {
  if (code === null) return kind === 'backup' && outcome === 'attention' ? `./clawback bundles list ${lane}` : null;
  if (code === 'Cancelled') return `./clawback ${kind} ${lane}`;
  return nextCommand({ code, context: {}, lane, command: kind });
}

/**
 * Some came through and some did not: `partial`. None did: what their failures agree on, else `failed`; all were
 * cancelled: `interrupted`. All did: what wants attention, then an overrun budget.
 */
export function fleetExit({ counts, lanes, rtoMs, rtoBudgetMs }: FleetResult): ExitName {
  const through = counts.ok + counts.attention;
  if (counts.failed + counts.cancelled > 0) {
    if (through > 0) return 'partial';
    const exits = new Set(lanes.map(({ code }): ExitName => failureTable[code ?? 'Unexpected'].exit));
    return exits.size === 1 ? ([...exits][0] ?? 'failed') : 'failed';
  }
  if (rtoMs !== null && rtoBudgetMs !== null && rtoMs > rtoBudgetMs) return 'budget';
  return counts.attention > 0 ? 'attention' : 'ok';
}

export function fleetText(result: FleetResult): string {
  const { kind, lanes, rtoMs, rtoBudgetMs, counts, volumes } = result;
  const through = counts.ok + counts.attention;
  const rows = [
    ['in all', sumText(result)],
    ...(rtoMs !== null && rtoBudgetMs !== null
      ? [['RTO', `every lane answered within ${formatDuration(rtoMs)} (${formatDuration(rtoBudgetMs)})`]]
      : []),
    ...tightVolumes(volumes).map((text) => ['room', text]),
    ...lanes.flatMap((row) => remarksOf(result, row)),
  ];
  return [
    `${kind} of ${plural(lanes.length, 'lane')}: ${through} done, ${counts.failed} failed, ${counts.cancelled} cancelled`,
    formatTable(['lane', 'host', 'outcome', 'bundle', 'size', 'time', 'RTO', 'why'], lanes.map(laneCells)),
    formatTable([], rows),
  ].join('\n\n');
}

/** One lane alone has nobody to be set against. */
function sumText({ lanes, wallMs, sequenceMs }: FleetResult): string {
  const whole = formatDuration(wallMs);
  if (lanes.filter(({ workflowId }) => workflowId !== null).length < 2) return whole;
  return `${whole}; the lanes' own times add up to ${formatDuration(sequenceMs)}, the most that one after the other would take`;
}

function laneCells(row: FleetLaneRow): string[] {
  const { lane, host, outcome, after, bundle, sizeBytes, elapsedMs, rtoMs, code } = row;
  return [
    lane,
    host,
    outcome === 'ok' ? after : `${outcome}, ${after}`,
    bundle ?? '-',
    sizeBytes > 0 ? formatBytes(sizeBytes) : '-',
    formatDuration(elapsedMs),
    rtoMs === null ? '-' : formatDuration(rtoMs),
    code ?? '',
  ];
}

function remarksOf(result: FleetResult, row: FleetLaneRow): string[][] {
  const next = nextOf(result, row);
  return [
    ...row.remarks.map((remark) => [row.lane, `LOOK: ${remark}`]),
    ...(row.message === null ? [] : [[row.lane, row.message.split('\n')[0] ?? '']]),
    ...(next === null ? [] : [['', `next: ${next}`]]),
  ];
}

function tightVolumes(volumes: readonly VolumeRow[]): string[] {
  return volumes
    .filter(({ freeBytes, neededBytes }) => neededBytes > freeBytes)
    .map(
      ({ host, volume, lanes, freeBytes, neededBytes }) =>
        `${lanes.join(', ')} need ${formatBytes(neededBytes)} together, ${volume} of ${host} has ${formatBytes(freeBytes)}: not all at once`,
    );
}

/** What will be restored on each lane, what is lost, and how long it takes. */
export function fleetPlanText(result: FleetResult, rpoMsOf: (lane: string) => number, rtoMs: number): string {
  const plans = result.lanes.flatMap(({ plan }) => plan ?? []);
  const side = Math.max(0, ...plans.map(({ estimateMs }) => estimateMs));
  const sum = plans.reduce((all, { estimateMs }) => all + estimateMs, 0);
  const notes = [
    [
      'estimate',
      `${formatDuration(side)} to ${formatDuration(sum)}: side by side, or one after the other (RTO ${formatDuration(rtoMs)})`,
    ],
    ...tightVolumes(result.volumes).map((text) => ['room', text]),
    ...plans.flatMap(({ lane, warnings }) => [...new Set(warnings)].map((warning) => [lane, `warning: ${warning}`])),
    ...result.lanes.filter(({ code }) => code !== null).flatMap((row) => remarksOf(result, row)),
  ];
  return [
    `Restore of ${plural(plans.length, 'lane')} of ${result.lanes.length}`,
    formatTable(
      ['lane', 'host', 'bundle', 'proven', 'size', 'estimate', 'lost, class 1', 'lost, class 2'],
      result.lanes.map((row) => planCells(row, rpoMsOf(row.lane))),
    ),
    formatTable([], notes),
  ].join('\n\n');
}

function planCells({ lane, host, plan, code }: FleetLaneRow, rpoMs: number): string[] {
  if (!plan) return [lane, host, `not possible: ${code ?? 'no plan'}`];
  const lost = (dataClass: DataClass): string => {
    const found = plan.rpo.find((one) => one.dataClass === dataClass);
    if (!found) return 'nothing: what the lane has stays';
    const missed = dataClass === 1 && found.rpoMs > rpoMs ? ', RPO MISSED' : '';
    return `the last ${formatDuration(found.rpoMs)}${missed}`;
  };
  const { bundle, proven, sizeBytes, estimateMs } = plan;
  return [
    lane,
    host,
    bundle,
    proven ? 'yes' : 'no',
    formatBytes(sizeBytes),
    formatDuration(estimateMs),
    lost(1),
    lost(2),
  ];
}
