// A host that does not answer, or all of a region: who vouches that it is not our own network. Pure.

import {
  type FleetSample,
  type Finding,
  isAway,
  isThere,
  outsideOf,
  type SampledHost,
  type SignalRules,
  spoken,
  type WatchMemory,
} from './signals.ts';

type Regions = WatchMemory['regions'];

/** Its peers answer: of its region, else of the fleet; or a control address does, or a store where none is named. */
export function isVouchedAway(sample: FleetSample, host: SampledHost): boolean {
  if (!isAway(host.reach)) return false;
  const others = sample.hosts.filter((other) => other.host !== host.host);
  const near = others.filter(({ region }) => region === host.region);
  const peers = near.length > 0 ? near : others;
  return peers.some(({ reach }) => isThere(reach)) || outsideOf(sample).some(({ answers }) => answers);
}

export function hostLoss(
  { host: rule }: SignalRules,
  sample: FleetSample,
  host: SampledHost,
  { looked, lost }: { readonly looked: Pick<WatchMemory, 'hosts' | 'regions'>; readonly lost: ReadonlySet<string> },
): Finding {
  const { awaySinceMs } = looked.hosts[host.host] ?? {};
  const finding = {
    scenario: 'host-loss',
    subject: host.host,
    code: host.reach === 'refused' ? 'host-refuses' : 'host-silent',
    sinceMs: awaySinceMs ?? sample.atMs,
    text: `host ${host.host} has not answered SSH for ${spoken(rule.silentMs)}, while others answer`,
  } as const;
  if (isThere(host.reach)) return { ...finding, state: 'off' };
  // without lanes there is nothing to bring back; part of a lost region, or about to be: that is one disaster, not several
  if (
    host.laneNames.length === 0 ||
    awaySinceMs === undefined ||
    lost.has(host.region) ||
    looked.regions[host.region] !== undefined
  )
    return { ...finding, state: 'held' };
  return { ...finding, state: sample.atMs - awaySinceMs >= rule.silentMs ? 'on' : 'held' };
}

export function regionsOf({ hosts }: FleetSample): string[] {
  return [...new Set(hosts.map(({ region }) => region))].toSorted();
}

/** The control address of the region; where none is named, any host elsewhere, or store, shows that it is not our own network. */
function controlAnswers({ hosts, controls, stores }: FleetSample, region: string): boolean {
  const own = controls.find((control) => control.region === region);
  const elsewhere = hosts.some((host) => host.region !== region && isThere(host.reach));
  return own?.answers ?? (elsewhere || stores.some((store) => store.region !== region && store.answers));
}

export function rememberRegions(rules: SignalRules, sample: FleetSample, before: Regions): Record<string, number> {
  const silent = regionsOf(sample).filter((region) => {
    const inside = sample.hosts.filter((host) => host.region === region);
    return (
      inside.length >= rules.region.hosts &&
      inside.every(({ reach }) => reach === 'timeout') &&
      controlAnswers(sample, region)
    );
  });
  return Object.fromEntries(silent.map((region) => [region, before[region] ?? sample.atMs]));
}

export function regionLoss(rules: SignalRules, sample: FleetSample, region: string, regions: Regions): Finding {
  const sinceMs = regions[region];
  const inside = sample.hosts.filter((host) => host.region === region);
  const finding = {
    scenario: 'region-loss',
    subject: region,
    code: 'region-silent',
    sinceMs: sinceMs ?? sample.atMs,
    text: `all ${inside.length} hosts of region ${region} time out, while its control address answers`,
  } as const;
  if (inside.some(({ reach }) => isThere(reach))) return { ...finding, state: 'off' };
  if (sinceMs === undefined || inside.every(({ laneNames }) => laneNames.length === 0))
    return { ...finding, state: 'held' };
  return { ...finding, state: sample.atMs - sinceMs >= rules.region.silentMs ? 'on' : 'held' };
}
