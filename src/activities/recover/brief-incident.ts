// What the fleet file says about a scenario and its subject: the lanes in question, who may approve, how long it may take.

import type { IncidentBrief, IncidentSteps } from '../../contract/incident-plan.ts';
import type { LaneSpec } from '../../contract/lane-spec.ts';
import { Failure } from '../../domain/failure.ts';
import { type Scenario, subjectKinds } from '../../domain/incident.ts';
import type { Deps, FleetView } from '../deps.ts';
import { placedSpecs } from '../host/placed.ts';
import { activity } from '../step.ts';

export function briefIncidentStep(deps: Deps): IncidentSteps['briefIncident'] {
  const { fleet, hooks } = deps;
  return activity(async ({ scenario, subject, lanes }) => {
    const policy = fleet.playbooks[scenario];
    const specs = (await involved(deps, scenario, subject)).filter(
      ({ lane }) => lanes === undefined || lanes.includes(lane),
    );
    const stray = lanes?.find((name) => !specs.some(({ lane }) => lane === name));
    if (specs.length === 0 || stray !== undefined) throw unknown(fleet, scenario, stray ?? subject);
    return {
      fleet: fleet.name,
      fleetDigest: fleet.digest,
      enabled: policy.enabled,
      approval: policy.approval,
      remindEveryMs: policy.remindEvery,
      approvers: fleet.playbooks.approvers.map(({ name }) => name),
      alerts: hooks.kinds.includes('alert'),
      rtoMs: Math.max(...specs.map(({ budgets }) => budgets.rtoMs)),
      rpoMs: Math.max(...specs.map(({ rpoMs }) => rpoMs)),
      waitForLaneMs: Math.max(...specs.map(({ limits }) => limits.waitForLaneMs)),
      diskFull: fleet.watched.rules.disk.full,
      receipts: { store: specs[0]?.store ?? 'primary', replica: specs[0]?.replica },
      lanes: specs.map(laneOf),
      hosts: [...new Set(specs.map(({ target }) => target.host.name))],
    } satisfies IncidentBrief;
  });
}

function laneOf({ lane, region, target }: LaneSpec): IncidentBrief['lanes'][number] {
  return { lane, region, host: target.host.name };
}

/** Where lanes are now; what is lost is lost by the file: lanes that are no longer there are refused by name. */
async function involved(deps: Deps, scenario: Scenario, subject: string): Promise<LaneSpec[]> {
  const { fleet } = deps;
  const kind = subjectKinds[scenario];
  const isLoss = scenario === 'host-loss' || scenario === 'region-loss';
  const specs = isLoss ? fleet.lanes.map((lane) => fleet.laneSpec(lane)) : await placedSpecs(deps, fleet.lanes);
  if (kind === 'lane') return specs.filter(({ lane }) => lane === subject);
  if (kind === 'host') return specs.filter(({ target }) => target.host.name === subject);
  return specs.filter(({ region }) => region === subject);
}

function unknown(fleet: FleetView, scenario: Scenario, name: string): Failure {
  const kind = subjectKinds[scenario];
  const what = kind === 'lane' ? `no lane ${name.slice(0, 80)}` : `no lane there: ${name.slice(0, 80)}`;
  return new Failure('UnknownLane', `fleet ${fleet.name} has ${what} (${scenario} takes a ${kind})`, {
    fleet: fleet.name,
  });
}
