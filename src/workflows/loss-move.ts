// What the steps of moving one lost host's lanes share: the plan's part of it, and the words for hooks.

import { workflowInfo } from '@temporalio/workflow';
import type { HookKind } from '../contract/hooks.ts';
import type { RecoveryPlan } from '../contract/incident-plan.ts';
import type { LostHost } from '../contract/losses.ts';
import type { PlacedHost } from '../contract/placement.ts';
import type { IncidentDesk } from './incident-desk.ts';
import type { Hands } from './loss-hands.ts';
import { vault } from './steps.ts';

export interface Move {
  readonly desk: IncidentDesk;
  readonly plan: RecoveryPlan;
  readonly lost: LostHost;
  readonly hands: Hands;
  readonly kinds: readonly HookKind[];
}

export function lanesOf({ plan, lost }: Move): string[] {
  return plan.lanes.filter((lane) => lane.host === lost.host).map(({ lane }) => lane);
}

export function stepOf({ lost }: Move, what: string): { readonly step: string; readonly phase: string } {
  return { step: 'prepare', phase: `${what}: the host that takes over from ${lost.host}` };
}

export function hasStep({ plan, lost }: Move, step: string): boolean {
  return plan.steps.some((one) => one.step === step && one.host === lost.host);
}

/** The same for every try of a worker: a provider must not rent out two machines. */
export function keyOf({ lost }: Move, step: string): string {
  const { workflowId, runId } = workflowInfo();
  return `${workflowId}/${runId}/${step}/${lost.host}`;
}

export async function reachOf(
  { plan }: Move,
  { host: name, record }: PlacedHost,
): Promise<{ readonly address: string; readonly port: number; readonly login: string }> {
  if (record !== undefined) return { ...record, login: record.user };
  return vault.describeHost({ fleetDigest: plan.fleetDigest, host: name });
}

/** Of the first lane's bundle; null when it does not say. */
export async function versionOf({ plan, lost, desk }: Move): Promise<string | null> {
  const lane = plan.lanes.find((one) => one.host === lost.host);
  const { bundle = null, store = null } = lane ?? {};
  if (lane === undefined || bundle === null || store === null) return null;
  const chosen = await vault.chooseBundles({ fleet: desk.brief.fleet, lane: lane.lane, store, bundle, layered: true });
  return chosen.openclawVersion;
}
