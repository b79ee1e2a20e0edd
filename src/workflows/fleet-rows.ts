// The rows of a run over many lanes, and their sum: what became of each, when, and why.

import { isCancellation } from '@temporalio/workflow';
import {
  type FleetLaneRow,
  type FleetResult,
  type LaneAfter,
  laneOutcomes,
  type VolumeRow,
} from '../contract/fleet-run.ts';
import type { RestorePlan } from '../contract/results.ts';
import type { FleetDescription, RestoreRoom } from '../contract/step-types.ts';
import { limits } from '../domain/limits.ts';
import { codeOf, messageOf, wasTerminated } from './failures.ts';

export interface FleetLane {
  readonly lane: string;
  readonly host: string;
  readonly streams: number;
  readonly fleetDigest: string;
}

/** What a lane's own workflow answered, as its row tells it. */
export interface Done extends Pick<FleetLaneRow, 'after' | 'bundle' | 'sizeBytes' | 'remarks'> {
  readonly answeredAt: string | null;
  readonly plan?: RestorePlan;
}

/** A row's lane and clock; no workflow and no start: none was started on it. */
export interface RowStart {
  readonly lane: FleetLane;
  readonly workflowId: string | null;
  /** When the run began, and when the lane's own workflow did. */
  readonly runMs: number;
  readonly startedMs: number | null;
}

export function doneRow(start: RowStart, { answeredAt, ...done }: Done, rtoBudgetMs: number): FleetLaneRow {
  const rtoMs = answeredAt === null ? null : Date.parse(answeredAt) - start.runMs;
  const isLate = rtoMs !== null && rtoMs > rtoBudgetMs;
  const remarks = [...done.remarks, ...(isLate ? ['answered later than the RTO, by the clock of the whole run'] : [])];
  return {
    ...begun(start),
    ...done,
    outcome: remarks.length > 0 ? 'attention' : 'ok',
    rtoMs,
    remarks,
    code: null,
    message: null,
  };
}

export function failedRow(start: RowStart, error: unknown, room: RestoreRoom | null): FleetLaneRow {
  const isCancelled = isCancellation(error) || wasTerminated(error);
  const code = isCancelled ? 'Cancelled' : (codeOf(error) ?? 'Unexpected');
  return {
    ...begun(start),
    outcome: isCancelled ? 'cancelled' : 'failed',
    after: start.workflowId === null ? 'untouched' : afterFailing(code),
    bundle: room?.bundle ?? null,
    sizeBytes: room?.sizeBytes ?? 0,
    rtoMs: null,
    remarks: [],
    code,
    message: isCancelled ? 'it was cancelled' : messageOf(error).slice(0, limits.rowMessageChars),
  };
}

/** Whatever fails is put right before it ends, but for what says that it was not. */
function afterFailing(code: string): LaneAfter {
  if (code === 'LaneUnsettled' || code === 'JournalDamaged') return 'unsettled';
  return ['LaneBusy', 'FleetChanged', 'RestoredMeanwhile'].includes(code) ? 'untouched' : 'as it was';
}

function begun(start: RowStart): Pick<FleetLaneRow, 'lane' | 'host' | 'workflowId' | 'waitedMs' | 'elapsedMs'> {
  const nowMs = Date.now();
  const startedMs = start.startedMs ?? nowMs;
  return {
    lane: start.lane.lane,
    host: start.lane.host,
    workflowId: start.workflowId,
    waitedMs: startedMs - start.runMs,
    elapsedMs: nowMs - startedMs,
  };
}

export function resultOf(run: {
  readonly kind: FleetResult['kind'];
  readonly fleet: FleetDescription;
  readonly hasRto: boolean;
  readonly runMs: number;
  readonly rows: readonly FleetLaneRow[];
  readonly volumes: readonly VolumeRow[];
}): FleetResult {
  const { kind, fleet, hasRto, runMs, rows, volumes } = run;
  const answered = rows.map(({ rtoMs }) => rtoMs).filter((ms) => ms !== null);
  const counts = laneOutcomes.map((outcome) => [outcome, rows.filter((row) => row.outcome === outcome).length]);
  return {
    kind,
    fleet: fleet.fleet,
    fleetDigest: fleet.fleetDigest,
    startedAt: new Date(runMs).toISOString(),
    wallMs: Date.now() - runMs,
    sequenceMs: rows.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0),
    rtoMs: hasRto && answered.length === rows.length ? Math.max(...answered) : null,
    rtoBudgetMs: hasRto ? fleet.rtoMs : null,
    counts: Object.fromEntries(counts) as FleetResult['counts'],
    lanes: rows,
    volumes,
    caps: fleet.caps,
  };
}

export function verdictOf({ counts }: Pick<FleetResult, 'counts'>): 'ok' | 'attention' | 'partial' | 'failed' {
  if (counts.failed + counts.cancelled > 0) return counts.ok + counts.attention > 0 ? 'partial' : 'failed';
  return counts.attention > 0 ? 'attention' : 'ok';
}
