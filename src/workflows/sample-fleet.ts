// One look at all hosts beside each other, short enough that the next run of the watch is not missed for it.

import type { WatchedHost, WatchPlan } from '../contract/watch-types.ts';
import type { FleetSample, HostSample, SampledHost, SignalRules, WatchMemory } from '../domain/signals.ts';
import { isCancellation, log } from '@temporalio/workflow';
import { codeOf } from './failures.ts';
import { inParallel } from './in-parallel.ts';
import { look } from './steps.ts';

/** A worker has 100 slots for short steps; restores need theirs. */
const hostsAtOnce = 40;

export async function sampleFleet(
  earlier: WatchMemory | undefined,
): Promise<{ readonly plan: WatchPlan; readonly sample: Omit<FleetSample, 'atMs'> }> {
  const plan = await look.describeWatch();
  const [hosts, outside] = await Promise.all([
    inParallel(plan.hosts, hostsAtOnce, (host) => sampleHost(host, plan.rules, earlier)),
    plan.controls.length + plan.stores.length > 0 ? look.probeControls() : { controls: [], stores: [] },
  ]);
  return { plan, sample: { hosts, ...outside } };
}

async function sampleHost(
  { host, region, lanes }: WatchedHost,
  rules: SignalRules,
  earlier: WatchMemory | undefined,
): Promise<SampledHost> {
  const sample = await asked(host, lanes, isDue(host, rules, earlier));
  return { ...sample, region, laneNames: lanes };
}

/** Files are counted only so often, for it takes the host some seconds. */
function isDue(host: string, { crossWrite }: SignalRules, earlier: WatchMemory | undefined): boolean {
  const countedMs = earlier?.hosts[host]?.filesAtMs;
  return countedMs === undefined || Date.now() - countedMs >= crossWrite.filesEveryMs;
}

async function asked(host: string, lanes: readonly string[], countForeign: boolean): Promise<HostSample> {
  try {
    return await look.sampleHost({ host, lanes, countForeign });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('a host could not be looked at', { host, code: codeOf(error) ?? 'Unexpected' });
    return { host, reach: 'unknown', clockOffsetMs: null, lanes: [] };
  }
}
