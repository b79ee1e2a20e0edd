// What one look at the fleet means, subject by subject, together with what was seen before. Pure; the order of hosts and
// lanes in the look does not matter.

import { hostLoss, isVouchedAway, regionLoss, regionsOf, rememberRegions } from './loss-findings.ts';
import {
  type FleetSample,
  type Finding,
  type HostMemory,
  type LaneMemory,
  type LaneSample,
  type SampledHost,
  type SignalRules,
  spoken,
  type WatchMemory,
} from './signals.ts';

/** Restarts of one lane that are remembered: some of the newest; a loop is told after far fewer. */
const restartsKept = 20;

export interface Looked {
  readonly lanes: Readonly<Record<string, LaneMemory>>;
  readonly hosts: Readonly<Record<string, HostMemory>>;
  readonly regions: Readonly<Record<string, number>>;
}

type Before = Pick<WatchMemory, 'lanes' | 'hosts' | 'regions'>;

/** @param isRaised is the signal there already? What raised it and what keeps it are not the same. */
export function findSignals(
  rules: SignalRules,
  sample: FleetSample,
  before: Before,
  isRaised: (finding: Pick<Finding, 'scenario' | 'subject'>) => boolean,
): { readonly looked: Looked; readonly findings: readonly Finding[] } {
  const looked: Looked = {
    lanes: Object.fromEntries(
      sample.hosts.flatMap((host) =>
        host.lanes.map((lane) => [lane.lane, rememberLane(rules, sample.atMs, lane, before.lanes[lane.lane] ?? {})]),
      ),
    ),
    hosts: Object.fromEntries(
      sample.hosts.map((host) => [host.host, rememberHost(rules, sample, host, before.hosts[host.host] ?? {})]),
    ),
    regions: rememberRegions(rules, sample, before.regions),
  };
  const findings = [
    ...sample.hosts.flatMap((host) => [
      ...exitLoops(rules, sample.atMs, host, looked.lanes),
      diskFull(rules, sample.atMs, host, { now: looked.hosts[host.host] ?? {}, isRaised }),
      crossWrite(rules, sample.atMs, host, looked),
    ]),
    ...regionsOf(sample).map((region) => regionLoss(rules, sample, region, looked.regions)),
  ];
  const lost = new Set(
    findings
      .filter(({ scenario, state }) => scenario === 'region-loss' && state === 'on')
      .map(({ subject }) => subject),
  );
  return {
    looked,
    findings: [...findings, ...sample.hosts.map((host) => hostLoss(rules, sample, host, { looked, lost }))],
  };
}

// --- a lane -----------------------------------------------------------------------------------------------------

/** While it is stopped on purpose nothing is counted, and counting starts anew when it is back. */
function rememberLane(rules: SignalRules, atMs: number, lane: LaneSample, before: LaneMemory): LaneMemory {
  const foreign = lane.foreign ?? before.foreign;
  const kept = foreign === undefined || foreign.length === 0 ? {} : { foreign };
  if (lane.planned) return kept;
  const restarts = [
    ...(before.restarts ?? []).filter(([seenMs]) => seenMs > atMs - rules.exitLoop.withinMs),
    ...restartsBetween(atMs, lane, before),
  ].slice(-restartsKept);
  return {
    ...kept,
    ...(lane.runs === null ? {} : { runs: lane.runs }),
    ...(lane.pid === null ? {} : { pid: lane.pid }),
    ...(restarts.length === 0 ? {} : { restarts }),
    ...(lane.answered ? {} : { silentSinceMs: before.silentSinceMs ?? atMs }),
  };
}

/** launchd counts a job's processes from its loading on; where it tells no count, another pid is another process. */
function restartsBetween(atMs: number, { runs, pid }: LaneSample, before: LaneMemory): [number, number][] {
  let count = 0;
  if (runs !== null && before.runs !== undefined)
    count = runs >= before.runs ? runs - before.runs : Math.max(0, runs - 1);
  else if (runs === null && pid !== null && before.pid !== undefined && pid !== before.pid) count = 1;
  return count > 0 ? [[atMs, count]] : [];
}

function exitLoops(rules: SignalRules, atMs: number, host: SampledHost, lanes: Looked['lanes']): Finding[] {
  return host.laneNames.map((name) => {
    const sample = host.lanes.find(({ lane }) => lane === name);
    return exitLoop(rules, atMs, { lane: name, sample, restarts: lanes[name]?.restarts ?? [] });
  });
}

interface LaneLook {
  readonly lane: string;
  /** Absent when its host does not answer. */
  readonly sample: LaneSample | undefined;
  readonly restarts: NonNullable<LaneMemory['restarts']>;
}

/** A gateway that was restarted often and answers has been worked on; one that loops is down at most looks. */
function exitLoop({ exitLoop: rule }: SignalRules, atMs: number, { lane, sample, restarts }: LaneLook): Finding {
  const count = restarts.reduce((sum, [, more]) => sum + more, 0);
  const finding = {
    scenario: 'bad-upgrade',
    subject: lane,
    code: 'exit-loop',
    sinceMs: restarts[0]?.[0] ?? atMs,
    text: `the gateway of ${lane} was started ${count} times again within ${spoken(rule.withinMs)}, and does not answer`,
  } as const;
  if (sample === undefined || sample.planned) return { ...finding, state: 'held' };
  if (count >= rule.restarts) return { ...finding, state: sample.answered ? 'held' : 'on' };
  return { ...finding, state: sample.answered || count === 0 ? 'off' : 'held' };
}

// --- a host -----------------------------------------------------------------------------------------------------

function usedOf({ lanes }: SampledHost): number | undefined {
  const used = lanes.map(({ diskUsed }) => diskUsed).filter((percent) => percent !== null);
  return used.length === 0 ? undefined : Math.max(...used);
}

/** When files were looked at last is forgotten with the host: they are looked at again as soon as it is back. */
function rememberHost(rules: SignalRules, sample: FleetSample, host: SampledHost, before: HostMemory): HostMemory {
  const full = timesFull(rules, usedOf(host), before.full ?? 0);
  const looked = host.lanes.some(({ foreign }) => foreign !== null);
  const filesAtMs = looked ? sample.atMs : before.filesAtMs;
  return {
    ...(full === 0 ? {} : { full }),
    ...(filesAtMs === undefined || host.reach !== 'answers' ? {} : { filesAtMs }),
    ...(isVouchedAway(sample, host) ? { awaySinceMs: before.awaySinceMs ?? sample.atMs } : {}),
  };
}

/** Samples in a row; one that could not be taken changes nothing. */
function timesFull({ disk }: SignalRules, used: number | undefined, before: number): number {
  if (used === undefined) return before;
  return used >= disk.full ? Math.min(before + 1, disk.samples) : 0;
}

function diskFull(
  { disk }: SignalRules,
  atMs: number,
  host: SampledHost,
  {
    now,
    isRaised,
  }: { readonly now: HostMemory; readonly isRaised: (of: Pick<Finding, 'scenario' | 'subject'>) => boolean },
): Finding {
  const used = usedOf(host);
  const finding = {
    scenario: 'disk-full',
    subject: host.host,
    code: 'disk',
    sinceMs: atMs,
    text: `a volume of ${host.host} is ${Math.floor(used ?? 0)} % full (mark: ${disk.full} %)`,
  } as const;
  if (used === undefined) return { ...finding, state: 'held' };
  const stays = isRaised(finding) && used >= disk.clear;
  return { ...finding, state: (now.full ?? 0) >= disk.samples || stays ? 'on' : 'off' };
}

/** Two agents that are silent together, or files of one in the tree of another (procedure, "Five disasters"). */
function crossWrite(rules: SignalRules, atMs: number, host: SampledHost, looked: Looked): Finding {
  const finding = { scenario: 'cross-write', subject: host.host, sinceMs: atMs } as const;
  const mixed = mixedFiles(host, looked.lanes);
  const silent = silentLanes(host, looked.lanes);
  const [, second] = silent;
  if (host.reach !== 'answers')
    return { ...finding, state: 'held', code: 'foreign-files', text: `${host.host} does not answer` };
  if (mixed.count > 0) {
    const text = `${mixed.count} files in trees of lanes of ${host.host} belong to the user of another lane`;
    return { ...finding, state: 'on', code: 'foreign-files', text, lanes: mixed.lanes };
  }
  const text =
    silent.length === 0
      ? `lanes of ${host.host} are stopped, and cannot be asked`
      : `${silent.length} lanes of ${host.host} have answered no probe for ${spoken(rules.crossWrite.silentMs)}`;
  const lanes = silent.map(({ lane }) => lane).toSorted();
  const told = { ...finding, code: 'silent-lanes', text, lanes } as const;
  if (second && atMs - second.sinceMs >= rules.crossWrite.silentMs)
    return { ...told, state: 'on', sinceMs: second.sinceMs };
  const isKnown = looked.hosts[host.host]?.filesAtMs !== undefined;
  return { ...told, state: second || !isKnown || host.lanes.some(({ planned }) => planned) ? 'held' : 'off' };
}

function mixedFiles(host: SampledHost, lanes: Looked['lanes']): { readonly count: number; readonly lanes: string[] } {
  const mixed = host.laneNames.flatMap((name) => (lanes[name]?.foreign ?? []).map((files) => ({ ...files, name })));
  return {
    count: mixed.reduce((sum, { count }) => sum + count, 0),
    lanes: [...new Set(mixed.flatMap(({ name, lane }) => [name, lane]))].toSorted(),
  };
}

/** The one that is silent longest first. */
function silentLanes(host: SampledHost, lanes: Looked['lanes']): { readonly lane: string; readonly sinceMs: number }[] {
  const silent = host.laneNames.flatMap((lane) => {
    const sinceMs = lanes[lane]?.silentSinceMs;
    return sinceMs === undefined ? [] : [{ lane, sinceMs }];
  });
  return silent.toSorted((a, b) => a.sinceMs - b.sinceMs || (a.lane < b.lane ? -1 : 1));
}
