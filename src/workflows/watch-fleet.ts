// A short run each minute, by schedule, which does two things beside each other: it starts settling where a journal lies on
// a lane whose section is dead, and it looks for first signals and opens their incidents. What it starts outlives it. What it
// remembers for the next run is its result; a look that fails changes nothing of that.

import { isCancellation, log, workflowInfo } from '@temporalio/workflow';
import type { ResolvedLaneName } from '../contract/step-types.ts';
import { SettleTriesSchema, WatchFleetInput, type WatchResult, WatchMemorySchema } from '../contract/watch-types.ts';
import { judgeSignals } from '../domain/judge-signals.ts';
import { isThere, type WatchMemory } from '../domain/signals.ts';
import { afterSettleTry, isSettleDue, type SettleTries, type SettleTry } from '../domain/settle-pace.ts';
import { codeOf } from './failures.ts';
import { inParallel } from './in-parallel.ts';
import { parseInput } from './input.ts';
import { settleLeftLane } from './settle-left-lane.ts';
import { host } from './steps.ts';
import { lookAtIncidents, tellIncidents } from './tell-incidents.ts';
import { sampleFleet } from './sample-fleet.ts';

type Settled = Pick<WatchResult, 'lanes' | 'unreachable' | 'refused' | 'settling' | 'tries'>;
type Judged = Omit<WatchResult, keyof Settled>;

const lanesAtOnce = 20;

export async function watchFleet(raw: unknown): Promise<WatchResult> {
  const input = parseInput(WatchFleetInput, raw ?? {});
  const [settled, judged] = await Promise.all([settleDead(), judge(input)]);
  return { ...settled, ...judged };
}

// --- sections that died -----------------------------------------------------------------------------------------

async function settleDead(): Promise<Settled> {
  const lanes = await host.listLanes();
  const earlier = triedBefore();
  const seen = await inParallel(lanes, lanesAtOnce, (lane) => look(lane, earlier[lane.lane]));
  const names = (state: Seen['state']): string[] =>
    lanes.filter((_, at) => seen[at]?.state === state).map(({ lane }) => lane);
  return {
    lanes: lanes.length,
    unreachable: names('unreachable').length,
    refused: names('refused'),
    settling: names('settling'),
    tries: Object.fromEntries(lanes.flatMap(({ lane }, at) => (seen[at]?.last ? [[lane, seen[at].last]] : []))),
  };
}

interface Seen {
  readonly state: 'settled' | 'settling' | 'held' | 'paused' | 'unreachable' | 'refused';
  readonly last?: SettleTry | undefined;
}

/** A lane is settled as soon as it is seen, whatever others take. */
async function look(lane: ResolvedLaneName, last: SettleTry | undefined): Promise<Seen> {
  try {
    const unsettled = await host.readUnsettled({ target: lane.target });
    if (unsettled === null) return { state: 'unreachable', last };
    if (!unsettled) return { state: 'settled' };
    const nowMs = Date.now();
    if (!isSettleDue(last, nowMs)) return { state: 'paused', last };
    if (!(await settleLeftLane(lane))) return { state: 'held', last };
    return { state: 'settling', last: afterSettleTry(last, nowMs) };
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('a lane could not be watched', { lane: lane.lane, code: codeOf(error) ?? 'Unexpected' });
    return { state: 'refused', last };
  }
}

/** By the last run of the schedule; none of another build's form, nor where it is started without its schedule. */
function triedBefore(): SettleTries {
  return SettleTriesSchema.safeParse(lastRun().tries).data ?? {};
}

// --- first signals ----------------------------------------------------------------------------------------------

async function judge(input: WatchFleetInput): Promise<Judged> {
  const earlier = remembered();
  try {
    const { plan, sample } = await sampleFleet(earlier);
    const known = earlier && (await lookAtIncidents(plan, earlier));
    const verdict = judgeSignals(plan.rules, { ...sample, atMs: Date.now() }, known);
    const opened = await tellIncidents(plan, verdict, input);
    return {
      signals: verdict.present.map(({ scenario, subject, code, sinceMs, text }) => ({
        scenario,
        subject,
        code,
        since: new Date(sinceMs).toISOString(),
        text,
      })),
      opened,
      cleared: verdict.cleared.map(({ scenario, subject }) => `${scenario} ${subject}`),
      away: sample.hosts.filter(({ reach }) => !isThere(reach)).map(({ host: name, reach }) => `${name}: ${reach}`),
      held: sample.hosts.flatMap(({ lanes }) => lanes.filter(({ held }) => held).map(({ lane }) => lane)),
      cutOff: verdict.cutOff,
      blind: null,
      memory: verdict.memory,
    };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const blind = codeOf(error) ?? 'Unexpected';
    log.warn('the watch could not look for signals', { code: blind });
    return { signals: [], opened: [], cleared: [], away: [], held: [], cutOff: false, blind, memory: earlier ?? null };
  }
}

/** What the last run of the schedule kept; another form of it, of another build, is nothing. */
function remembered(): WatchMemory | undefined {
  return WatchMemorySchema.safeParse(lastRun().memory).data;
}

function lastRun(): { readonly memory?: unknown; readonly tries?: unknown } {
  return workflowInfo().lastResult ?? {};
}
