// Expiry of one lane, in its section: no backup of ours is under way whose segments have no manifest yet, and no restore
// reads what is removed. That it is safe beside one all the same (a worker that was thought dead may still write) is
// what the grace is for. Nothing is changed on the lane; its host is asked for its time zone when the fleet file does
// not say it.

import {
  type ExpiryRequest,
  type ExpiryResult,
  nothingRemoved,
  type StoreExpiry,
  type ToBury,
} from '../contract/expiry.ts';
import type { Section } from './section.ts';
import { dataStream, host, vault, vaultLong } from './steps.ts';

export async function expire(section: Section, dryRun: boolean): Promise<ExpiryResult> {
  const { fleet, lane, store: primary, replica, retention, target } = section.spec;
  section.progress.update({ phase: 'reading the bundles of the lane' });
  const timeZone = section.spec.timeZone ?? (await host.surveyLane({ target })).timeZone;
  const request = { fleet, lane, primary, timeZone, retention, nowMs: Date.now() };
  const first = await expireIn(section, { ...request, store: primary }, dryRun);
  // a replica expires by the same rule, and stands still with its primary
  if (replica === undefined || first.standsStill !== null) return { lane, dryRun, timeZone, stores: [first] };
  return { lane, dryRun, timeZone, stores: [first, await expireIn(section, { ...request, store: replica }, dryRun)] };
}

async function expireIn(section: Section, request: ExpiryRequest, dryRun: boolean): Promise<StoreExpiry> {
  const { toBury, ...plan } = await vault.planExpiry(request);
  const { store } = request;
  if (dryRun || plan.standsStill !== null) return { store, ...plan, ...nothingRemoved, buried: 0 };
  section.progress.update({ phase: `removing what has expired from ${store}` });
  const removal = await vaultLong.removeExpired(request);
  if (toBury.length > 0) await bury(request, toBury);
  return { store, ...plan, ...removal, buried: toBury.length };
}

function bury({ fleet, lane, store, nowMs }: ExpiryRequest, bundles: readonly ToBury[]): Promise<void> {
  const tombstonedAt = new Date(nowMs).toISOString();
  return dataStream(0).buryBundles({ fleet, lane, store, bundles, tombstonedAt });
}
