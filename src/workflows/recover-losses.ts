// Playbooks "total host loss" and "region or network loss" (procedure): the lanes come back on a standby, or on a Mac that a
// hook or somebody brings. Class 1 comes from the newest bundle of all and class 2 from the newest that has it: a daily
// tier A is not left aside for a weekly B. A lost region's stores are not read.

import type { RecoveryPlan } from '../contract/incident-plan.ts';
import type { IncidentOutcome, IncidentState } from '../contract/incident-state.ts';
import { recoverInputs } from '../contract/incidents.ts';
import { type Playbook, runIncident } from './incident.ts';
import type { IncidentDesk } from './incident-desk.ts';
import { parseInput } from './input.ts';
import { Hands } from './loss-hands.ts';
import { moveHost } from './move-host.ts';
import { type Loss, planLoss } from './plan-loss.ts';
import { vault } from './steps.ts';

export async function recoverHostLoss(raw: unknown): Promise<IncidentState> {
  const { host: subject, ...common } = parseInput(recoverInputs['host-loss'], raw);
  return runIncident(playbookOf('host-loss', subject), common);
}

export async function recoverRegionLoss(raw: unknown): Promise<IncidentState> {
  const { region: subject, ...common } = parseInput(recoverInputs['region-loss'], raw);
  return runIncident(playbookOf('region-loss', subject), common);
}

function playbookOf(scenario: 'host-loss' | 'region-loss', subject: string): Playbook {
  const lossOf = ({ brief: { hosts } }: IncidentDesk): Loss =>
    scenario === 'host-loss' ? { hosts } : { hosts, lostRegion: subject };
  return {
    scenario,
    subject,
    plan: (desk) => planLoss(desk, lossOf(desk)),
    run: (plan, desk) => runLoss(plan, desk, lossOf(desk)),
  };
}

async function runLoss(plan: RecoveryPlan, desk: IncidentDesk, { lostRegion }: Loss): Promise<IncidentOutcome> {
  const { fleetDigest } = plan;
  const hosts = [...new Set(plan.lanes.map(({ host }) => host))];
  const lost = await vault.describeLost({ fleetDigest, hosts, lostRegion });
  const { kinds } = await vault.describeHooks({ fleetDigest });
  const hands = new Hands(desk, fleetDigest);
  const moved = await Promise.all(lost.map((one) => moveHost({ desk, plan, lost: one, hands, kinds })));
  return {
    lanes: moved.flatMap(({ rows }) => rows),
    escalation: null,
    remarks: moved.flatMap(({ remarks }) => remarks),
    followUp: moved.flatMap(({ followUp }) => followUp),
  };
}
