// The skeleton of every playbook: plan, ask where the policy wants it, do exactly what was planned, prove it by answered
// messages, leave a receipt. A playbook itself only plans and runs.

import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  log,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { PlanDraft, RecoveryPlan } from '../contract/incident-plan.ts';
import type { IncidentOutcome, IncidentState } from '../contract/incident-state.ts';
import type { IncidentCommon } from '../contract/incidents.ts';
import { searchAttributes } from '../contract/names.ts';
import { type IncidentPhase, staleBecause, subjectKinds } from '../domain/incident.ts';
import { formatDuration } from '../domain/quantity.ts';
import { besideTimer } from './beside-timer.ts';
import { asOwnFailure, codeOf, messageOf, workflowFailure } from './failures.ts';
import { Decisions } from './incident-decisions.ts';
import { IncidentDesk } from './incident-desk.ts';
import { writeIncidentReceipt } from './incident-receipt.ts';
import type { About } from './incident-opened.ts';
import { vault } from './steps.ts';

export interface Playbook extends About {
  /** What is to be planned, from what the desk's brief says. Reads only; called again when the plan may be stale. */
  plan(desk: IncidentDesk): Promise<PlanDraft>;
  /** Does exactly what the plan says, with its bundles. What it throws fails the incident. */
  run(plan: RecoveryPlan, desk: IncidentDesk): Promise<IncidentOutcome>;
}

/**
 * One incident, from its first signal to its end. What it answers is the state that the query answers, too.
 * @throws what planning or the playbook failed with; RecoveryFailed when lanes were not brought back; Cancelled
 */
export async function runIncident(playbook: Playbook, input: IncidentCommon): Promise<IncidentState> {
  const desk = new IncidentDesk({ ...aboutOf(playbook) }, input);
  const decisions = new Decisions(desk, () => replan(desk, playbook));
  noteSubject(playbook);
  try {
    await open(desk, playbook);
    if (input.dryRun) return await end(desk, { phase: 'planned' });
    const outcome = await besideRto(desk, () => decideAndRun(desk, decisions, playbook));
    if (outcome !== null) requireRecovered(desk, outcome);
    return await end(desk, { phase: endOf(desk) });
  } catch (error) {
    await end(desk, failed(error));
    throw asOwnFailure(error);
  }
}

function aboutOf({ scenario, subject, lanes }: Playbook): About {
  return { scenario, subject, lanes };
}

function noteSubject({ scenario, subject }: Playbook): void {
  const kind = subjectKinds[scenario];
  upsertSearchAttributes([
    { key: searchAttributes.scenario, value: scenario },
    ...(kind === 'region' ? [] : [{ key: searchAttributes[kind], value: subject }]),
  ]);
}

async function open(desk: IncidentDesk, playbook: Playbook): Promise<void> {
  const { enabled } = await desk.readBrief();
  if (!enabled && desk.input.openedBy === 'watch')
    throw workflowFailure('PlaybookDisabled', `playbooks.${playbook.scenario}.enabled is false in the fleet file`);
  const plan = await desk.part({ step: 'plan', phase: 'planning' }, () => planOf(desk, playbook));
  desk.update({ plan });
}

async function planOf(desk: IncidentDesk, playbook: Playbook): Promise<RecoveryPlan> {
  const { scenario, subject } = playbook;
  const draft = await playbook.plan(desk);
  const { fleetDigest } = desk.brief;
  return vault.planRecovery({ ...draft, scenario, subject, fleetDigest, since: desk.state.since });
}

/** The plan that stands: the old one where nothing of weight has changed, so that its digest still counts. */
async function replan(desk: IncidentDesk, playbook: Playbook): Promise<RecoveryPlan> {
  await desk.readBrief();
  const now = await planOf(desk, playbook);
  const old = desk.state.plan;
  const stale = old === null ? 'there was none' : staleBecause(old, now);
  if (old !== null && stale === undefined) return old;
  desk.update({ plan: now });
  desk.warn(`planned anew: ${stale}`);
  return now;
}

/** Null when it ended without the playbook's run. */
async function decideAndRun(
  desk: IncidentDesk,
  decisions: Decisions,
  playbook: Playbook,
): Promise<IncidentOutcome | null> {
  if (desk.state.clearedAt === null) await decide(desk, decisions, playbook);
  const { approval, plan } = desk.state;
  if (approval === null || plan === null) return null;
  desk.update({ phase: 'recovering' });
  await requireSameFleet(desk, plan);
  const outcome = await playbook.run(plan, desk);
  desk.update({ outcome, rto: { ...desk.state.rto, ms: rtoOf(desk, outcome) } });
  return outcome;
}

async function decide(desk: IncidentDesk, decisions: Decisions, playbook: Playbook): Promise<void> {
  const { plan } = desk.state;
  if (plan === null) return;
  if (desk.brief.approval === 'auto' && plan.ask === null) {
    const at = new Date(Date.now()).toISOString();
    desk.alert('warning', 'IncidentOpened', `${playbook.scenario} on ${playbook.subject}: it recovers by itself`);
    desk.update({ approval: { by: 'playbooks', at, digest: plan.digest, how: 'policy', waiveFence: false } });
    return;
  }
  desk.update({ phase: 'awaiting-approval', doing: 'waits for somebody to approve its plan' });
  desk.alert('critical', 'ApprovalWanted', `${desk.state.next}${plan.ask === null ? '' : `: ${plan.ask}`}`);
  await desk.forPeople(
    () => decisions.isDone,
    async () => {
      if (!decisions.isDeciding) await lookAgain(desk, playbook);
      desk.alert('critical', 'ApprovalWanted', `still waits: ${desk.state.next}`);
    },
  );
}

/** Who comes to approve it finds a plan of now; where none can be made, the old one stays, and the approval will tell. */
async function lookAgain(desk: IncidentDesk, playbook: Playbook): Promise<void> {
  try {
    await replan(desk, playbook);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the plan could not be looked at again', { code: codeOf(error) ?? 'Unexpected' });
  }
}

/** The fleet file may have changed between the approval and this moment. FleetChanged. */
async function requireSameFleet(desk: IncidentDesk, { fleetDigest }: RecoveryPlan): Promise<void> {
  const now = await desk.readBrief();
  if (now.fleetDigest === fleetDigest) return;
  const message = `the plan was made for the fleet file ${fleetDigest.slice(0, 12)}…, the worker holds ${now.fleetDigest.slice(0, 12)}…`;
  throw workflowFailure('FleetChanged', message, { fleet: now.fleet });
}

/** From the first signal to the last answered message; null when not every lane that was recovered answered. */
function rtoOf(desk: IncidentDesk, { lanes }: IncidentOutcome): number | null {
  const answers = lanes.map(({ answeredAt }) => (answeredAt === null ? Number.NaN : Date.parse(answeredAt)));
  if (answers.length === 0 || answers.some(Number.isNaN)) return null;
  return Math.max(...answers) - desk.sinceMs;
}

function besideRto<T>(desk: IncidentDesk, work: () => Promise<T>): Promise<T> {
  const { rtoMs } = desk.brief;
  const name = `RTO of the incident (${formatDuration(rtoMs)})`;
  const onLate = (): void => {
    desk.update({ rto: { ...desk.state.rto, over: true } });
    desk.alert('critical', 'RtoMissed', `${desk.state.incident} is over its RTO of ${formatDuration(rtoMs)}`);
  };
  return besideTimer({ name, leftMs: rtoMs - (Date.now() - desk.sinceMs), onLate }, work);
}

function requireRecovered(desk: IncidentDesk, { lanes, escalation }: IncidentOutcome): void {
  const left = lanes.filter(({ outcome }) => outcome === 'failed' || outcome === 'untouched');
  if (left.length === 0 && escalation === null) {
    if (!desk.input.rehearse || !desk.state.rto.over) return;
    throw workflowFailure('BudgetExceeded', 'the rehearsal took longer than the RTO: reduce class 2, or add NVMe');
  }
  const which = left.map(({ lane, code }) => `${lane}${code === null ? '' : ` (${code})`}`).join(', ');
  const what = [which === '' ? '' : `not brought back: ${which}`, escalation ?? ''].filter((text) => text !== '');
  throw workflowFailure('RecoveryFailed', `${desk.state.incident}: ${what.join('; ')}`);
}

function endOf({ state: { declined, approval } }: IncidentDesk): IncidentPhase {
  if (approval !== null) return 'recovered';
  return declined === null ? 'closed' : 'declined';
}

interface End {
  readonly phase: IncidentPhase;
  readonly error?: unknown;
}

function failed(error: unknown): End {
  return { phase: isCancellation(error) ? 'cancelled' : 'failed', error };
}

/** However it ends, it is told and signed; nothing of that can be cancelled. */
async function end(desk: IncidentDesk, { phase, error }: End): Promise<IncidentState> {
  return CancellationScope.nonCancellable(async () => {
    desk.update({
      phase,
      doing: '',
      endedAt: new Date(Date.now()).toISOString(),
      ...(error === undefined ? {} : { code: codeOf(error) ?? 'Unexpected', message: messageOf(error) }),
    });
    tellEnd(desk);
    upsertSearchAttributes([{ key: searchAttributes.verdict, value: phase }]);
    await writeIncidentReceipt(desk);
    await desk.untilTold();
    await condition(allHandlersFinished);
    return desk.state;
  });
}

function tellEnd(desk: IncidentDesk): void {
  const { phase, incident, message, approval } = desk.state;
  if (phase === 'planned') return;
  if (phase === 'failed') desk.alert('critical', 'IncidentFailed', `${incident} failed: ${message}`);
  else if (approval !== null || phase !== 'closed') desk.alert('resolved', 'IncidentEnded', `${incident} is ${phase}`);
}
