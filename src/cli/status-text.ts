// The status of lanes in words, and what of it wants a human's eyes. Pure.

import type { FleetRunState, QueueState, SectionHolder } from '../client/workers.ts';
import type { WatchSeen } from '../client/watch-view.ts';
import type { HeldSchedule } from '../client/schedules.ts';
import { failureTable } from '../domain/failure.ts';
import { needsMending, type SettleTry, slowTryMs } from '../domain/settle-pace.ts';
import type { Capture, Captures } from './captures.ts';
import { copiesConcerns, copiesRows } from './copies-text.ts';
import { formatDuration, formatInstant, formatTable } from './format.ts';
import type { LaneState, Seen } from './lane-probe.ts';
import { schedulesConcerns, schedulesRows } from './schedules-status.ts';
import { gatewayText, laneConcerns, restoreText } from './lane-text.ts';
import type { Whereabouts } from './whereabouts.ts';

export interface TemporalStatus {
  readonly address: string;
  readonly namespace: string;
  readonly queues: readonly QueueState[];
  readonly runs: readonly FleetRunState[];
  /** Null when the watch has never run. */
  readonly watch: WatchSeen | null;
}

export interface LaneStatus extends LaneState {
  readonly rpoMs: number;
  /** What runs on the lane; null: nothing. Unseen when Temporal does not answer. */
  readonly section: Seen<SectionHolder | null>;
  readonly captures: Seen<Captures>;
  /** Null where the lane's store has no replica. */
  readonly copies: Whereabouts | null;
}

export interface FleetStatus {
  readonly fleet: string;
  readonly temporal: Seen<TemporalStatus>;
  readonly schedules: Seen<readonly HeldSchedule[]>;
  readonly lanes: readonly LaneStatus[];
}

export function statusText({ fleet, temporal, schedules, lanes }: FleetStatus, concerns: readonly string[]): string {
  const head = [
    [`fleet ${fleet}`, temporalText(temporal)],
    ['workers', queuesText(temporal)],
    ['watch', watchText(temporal)],
    ...schedulesRows(schedules),
    ...runsRows(temporal),
  ];
  const wanted =
    concerns.length > 0 ? ['Look at:', ...concerns.map((concern) => `  ! ${concern}`)] : ['Nothing wants attention.'];
  return [formatTable([], head), ...lanes.map(laneText), wanted.join('\n')].join('\n\n');
}

function temporalText(temporal: Seen<TemporalStatus>): string {
  if ('unseen' in temporal) return temporal.unseen.message;
  return `Temporal at ${temporal.seen.address} (namespace ${temporal.seen.namespace}) answers`;
}

function queuesText(temporal: Seen<TemporalStatus>): string {
  if ('unseen' in temporal) return 'unknown';
  return temporal.seen.queues.map(({ queue, polled }) => `${queue}: ${polled ? 'yes' : 'NONE'}`).join(', ');
}

function watchText(temporal: Seen<TemporalStatus>): string {
  if ('unseen' in temporal) return 'unknown';
  const { watch } = temporal.seen;
  if (watch === null) return 'has not looked yet';
  return `looked at ${formatInstant(watch.at)}: ${watch.signals.length === 0 ? 'no signals' : `${watch.signals.length} signals`}`;
}

/** A line each: signals, lanes that are held down, and a watch that sees nothing. */
function watchConcerns({ watch }: TemporalStatus): string[] {
  if (watch === null) return [];
  const { signals, held, tries, cutOff, blind } = watch;
  return [
    ...signals.map(({ scenario, subject, text }) => `${text}: ./clawback incidents show ${scenario}/${subject}`),
    ...held.map(
      (lane) => `${lane}: a playbook stopped it, and it stays so until it is restored: ./clawback restore ${lane}`,
    ),
    ...Object.entries(tries).flatMap(([lane, last]) => (needsMending(last) ? [unsettledConcern(lane, last)] : [])),
    ...(cutOff ? ['the watch gets no answer from any host: is the network of its worker down?'] : []),
    ...(blind === null ? [] : [`the watch cannot look for signals: ${blind}`]),
  ];
}

/** The way out of a lane that three sections have not put right. */
function unsettledConcern(lane: string, { count, lastMs }: SettleTry): string {
  const pace = formatDuration(slowTryMs);
  return `${lane}: the watch has tried ${count} times to put it right, last at ${formatInstant(new Date(lastMs).toISOString())}, and tries every ${pace}. Mend what keeps it (the job's log on the host, ./clawback report ${lane}, docs/operating.md "When something is wrong"); ./clawback backup ${lane} tries at once`;
}

function runsRows(temporal: Seen<TemporalStatus>): string[][] {
  if ('unseen' in temporal) return [];
  return temporal.seen.runs.map(({ workflowId, type, startedAt }) => [
    'running',
    `${type} since ${formatInstant(startedAt)} (./clawback follow ${workflowId})`,
  ]);
}

function laneText(status: LaneStatus): string {
  const { lane, host, gateway, restore, section, captures, copies, rpoMs } = status;
  const rows = [
    ['gateway', gatewayText(gateway)],
    ['work', sectionText(section)],
    ...capturesRows(captures, rpoMs),
    ...copiesRows(copies),
    ['restore', restoreText(restore, lane)],
  ];
  return `lane ${lane} on ${host}\n${formatTable(
    [],
    rows.map(([name = '', text = '']) => [`  ${name}`, text]),
  )}`;
}

function sectionText(section: Seen<SectionHolder | null>): string {
  if ('unseen' in section) return `unknown: ${section.unseen.message}`;
  if (!section.seen) return 'nothing runs';
  const { operation, startedAt, workflowId } = section.seen;
  return `${operation} since ${formatInstant(startedAt)} (./clawback follow ${workflowId})`;
}

function capturesRows(captures: Seen<Captures>, rpoMs: number): string[][] {
  if ('unseen' in captures) return [['backups', `unknown: ${captures.unseen.message}`]];
  const { class1, class2, instead } = captures.seen;
  const objective = `RPO ${formatDuration(rpoMs)}${class1 && class1.ageMs <= rpoMs ? '' : ' MISSED'}`;
  return [
    ['class 1', `${captureText(class1)}; ${objective}`],
    ['class 2', captureText(class2)],
    ...(instead ? [['', `read from the replica ${instead.replica}, which may be behind: ${instead.why}`]] : []),
  ];
}

function captureText(capture: Capture | null): string {
  return capture ? `${formatDuration(capture.ageMs)} ago, ${capture.bundle}` : 'no good backup';
}

/** A line each. Empty: all is well. */
export function concernsOf({ temporal, schedules, lanes }: FleetStatus): string[] {
  return [
    ...temporalConcerns(temporal),
    ...schedulesConcerns(schedules),
    ...lanes.flatMap((lane) => [
      ...nowConcerns(lane),
      ...backupConcerns(lane),
      ...copiesConcerns(lane.lane, lane.copies),
    ]),
  ];
}

/** While a restore is under way its gateway is down and its journal open: that is told as what it is. */
function nowConcerns(status: LaneStatus): string[] {
  const { lane, section } = status;
  const running = 'seen' in section ? section.seen : null;
  if (!running || !['restore', 'undo', 'upgrade', 'settle'].includes(running.operation)) return laneConcerns(status);
  return [`${lane}: ${running.operation} is under way: ./clawback follow ${running.workflowId}`];
}

function temporalConcerns(temporal: Seen<TemporalStatus>): string[] {
  if ('unseen' in temporal) return [`${temporal.unseen.message}: ${failureTable[temporal.unseen.code].hint}`];
  const missing = temporal.seen.queues.filter(({ polled }) => !polled);
  const watched = [...watchConcerns(temporal.seen), ...movedConcerns(temporal.seen)];
  if (missing.length === 0) return watched;
  return [
    ...watched,
    `no worker polls ${missing.map(({ queue }) => queue).join(', ')}: ./clawback worker --queues ${missing.map(({ role }) => role).join(',')}`,
  ];
}

/** Told until fleet.yaml says where the lanes are and the lost host can do no more harm. */
function movedConcerns({ runs }: TemporalStatus): string[] {
  return runs.flatMap(({ workflowId }) => {
    const [kind, , lost] = workflowId.split('/');
    if (kind !== 'moved' || lost === undefined) return [];
    return [`lanes of ${lost} were moved to another host, which is not settled yet: ./clawback host moved ${lost}`];
  });
}

function backupConcerns({ lane, captures, rpoMs }: LaneStatus): string[] {
  if ('unseen' in captures) return [`${lane}: its backups cannot be seen: ${captures.unseen.message}`];
  const { class1, passedOver } = captures.seen;
  const late =
    class1 && class1.ageMs > rpoMs
      ? `${lane}: class 1 was captured ${formatDuration(class1.ageMs)} ago, its RPO is ${formatDuration(rpoMs)}: ./clawback backup ${lane}`
      : undefined;
  return [
    ...(class1 ? [] : [`${lane}: there is no good backup of class 1: ./clawback backup ${lane}`]),
    ...(late === undefined ? [] : [late]),
    ...passedOver.slice(0, 3).map(({ bundle, why }) => `${lane}: bundle ${bundle} does not count: ${why}`),
  ];
}
