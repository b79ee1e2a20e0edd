// Playbook "bad upgrade" (procedure): a gateway that exits in a loop. It is itself the harm, so it stops first; then the
// bundle from before the upgrade comes back, and OpenClaw's version with it. Where that was no upgrade, or going back
// loses more than the RPO allows, the plan asks first.

import {
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlanDraft, PlannedStep, RecoveryPlan } from '../contract/incident-plan.ts';
import type { IncidentOutcome, IncidentState, LaneRecovery } from '../contract/incident-state.ts';
import { recoverInputs } from '../contract/incidents.ts';
import { workflowNames } from '../contract/names.ts';
import type { RestoreResult } from '../contract/results.ts';
import type { PreUpgradeChoice } from '../contract/upgrade.ts';
import type { LaneTarget } from '../domain/lane-target.ts';
import { formatDuration } from '../domain/quantity.ts';
import { bundleIdOf } from '../domain/terms.ts';
import { codeOf, messageOf, workflowFailure } from './failures.ts';
import { type Playbook, runIncident } from './incident.ts';
import type { IncidentDesk } from './incident-desk.ts';
import { parseInput } from './input.ts';
import { hooks, host, vault } from './steps.ts';

export async function recoverBadUpgrade(raw: unknown): Promise<IncidentState> {
  const { lane, ...common } = parseInput(recoverInputs['bad-upgrade'], raw);
  const found = new Map<string, Findings>();
  const playbook: Playbook = {
    scenario: 'bad-upgrade',
    subject: lane,
    plan: async (desk) => {
      const findings = await look(lane, desk);
      found.set(findings.choice.bundle, findings);
      return draftOf(lane, findings, desk);
    },
    run: (plan, desk) => goBack(plan, desk, found),
  };
  return runIncident(playbook, common);
}

/** What was seen when the plan was made. */
interface Findings {
  readonly target: LaneTarget;
  /** OpenClaw's version on the host; null when it does not tell. */
  readonly now: string | null;
  readonly choice: PreUpgradeChoice;
  readonly hasPinHook: boolean;
}

async function look(lane: string, { brief: { fleetDigest } }: IncidentDesk): Promise<Findings> {
  const { target } = await host.describeLane({ lane, fleetDigest });
  const { openclawVersion: now } = await host.surveyLane({ target });
  const choice = await vault.choosePreUpgrade({ lane, fleetDigest, now });
  const { kinds } = await hooks.describeHooks({ fleetDigest });
  return { target, now, choice, hasPinHook: kinds.includes('pin') };
}

/** Does the version that the bundle is of have to be installed again? */
function differs({ now, choice }: Findings): boolean {
  return choice.version !== null && choice.version !== now;
}

const reasons: Readonly<Record<PreUpgradeChoice['because'], string>> = {
  'before-upgrade': 'the newest from before the upgrade',
  overtaken: 'the newest from before the upgrade, though there are newer ones of the present version',
  'no-upgrade': 'the newest, for none is of another version',
};

function draftOf(lane: string, findings: Findings, desk: IncidentDesk): PlanDraft {
  const { choice, target } = findings;
  const at = { lane, host: target.host.name };
  const version = choice.version === null ? '' : `, OpenClaw ${choice.version}`;
  const steps: PlannedStep[] = [
    { step: 'stop', what: 'stop the gateway first: it is itself the harm', ...at },
    {
      step: 'restore',
      what: `restore bundle ${choice.bundle}${version}, captured ${choice.capturedAt}: ${reasons[choice.because]}`,
      ...at,
    },
    ...(differs(findings) ? [{ ...pinStep(findings), ...at }] : []),
    { step: 'smoke', what: 'start the gateway, and send it a test message', ...at },
  ];
  return { steps, lanes: [{ lane, bundle: choice.bundle }], ask: whyAsk(findings, desk) };
}

function pinStep({ now, choice, hasPinHook }: Findings): PlannedStep {
  const versions = `from ${now ?? 'an unknown version'} to ${choice.version}`;
  if (hasPinHook)
    return { step: 'pin', what: `set OpenClaw back ${versions} by the pin hook, while the gateway is stopped` };
  return {
    step: 'pin-by-hand',
    what: `fleet.yaml has no hooks.pin, so that OpenClaw is not set back ${versions}: somebody has to, if the gateway does not answer`,
  };
}

/** Null where it may act alone. */
function whyAsk({ now, choice: { because, capturedAt } }: Findings, { brief, sinceMs }: IncidentDesk): string | null {
  if (because === 'no-upgrade')
    return `no good bundle is of another OpenClaw than ${now ?? 'the unknown one'} on the host: what is wrong may be no upgrade`;
  const ageMs = sinceMs - Date.parse(capturedAt);
  if (because === 'before-upgrade' || ageMs <= brief.rpoMs) return null;
  return `there are good bundles of OpenClaw ${now}, too: going back loses ${formatDuration(ageMs)}, more than the RPO of ${formatDuration(brief.rpoMs)}`;
}

async function goBack(
  plan: RecoveryPlan,
  desk: IncidentDesk,
  found: ReadonlyMap<string, Findings>,
): Promise<IncidentOutcome> {
  const [planned] = plan.lanes;
  const findings = found.get(planned?.bundle ?? '');
  if (!planned || !findings) throw workflowFailure('Unexpected', 'the plan names no bundle that was looked at');
  const { lane, host: name, bundle } = planned;
  const workflowId = `restore/${lane}/${bundleIdOf(workflowInfo().startTime.getTime(), workflowInfo().runId)}`;
  const base = { lane, host: name, bundle, workflowId };
  try {
    const phase = `restoring ${lane} from ${bundle}`;
    const result = await desk.part({ step: 'restore', phase }, () => restore(workflowId, plan, desk));
    const remarks = [...result.overBudget.map((late) => `over budget: ${late}`), ...result.warnings];
    const row: LaneRecovery = {
      ...base,
      outcome: 'recovered',
      answeredAt: result.answeredAt,
      remarks,
      code: null,
      message: null,
    };
    return { lanes: [row], escalation: null, remarks: stillPinned(plan, findings) };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const row: LaneRecovery = {
      ...base,
      outcome: 'failed',
      answeredAt: null,
      remarks: [],
      code: codeOf(error) ?? 'Unexpected',
      message: messageOf(error),
    };
    return { lanes: [row], escalation: escalationOf(lane, findings), remarks: [] };
  }
}

/** Of exactly the planned bundle. */
function restore(workflowId: string, plan: RecoveryPlan, { input, brief }: IncidentDesk): Promise<RestoreResult> {
  const [planned] = plan.lanes;
  const { fleetDigest } = plan;
  const pin = plan.steps.some(({ step }) => step === 'pin');
  const waitMs = input.waitMs ?? brief.waitForLaneMs;
  return executeChild<(input: unknown) => Promise<RestoreResult>>(workflowNames.restoreLane, {
    workflowId,
    args: [
      { lane: planned?.lane, bundle: planned?.bundle, pin, stopFirst: true, acceptVersion: true, fleetDigest, waitMs },
    ],
    staticSummary: `restore ${planned?.lane}, by ${workflowInfo().workflowId}`,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    workflowTaskTimeout: '5s',
  });
}

function stillPinned(plan: RecoveryPlan, { now, choice }: Findings): string[] {
  if (!plan.steps.some(({ step }) => step === 'pin-by-hand')) return [];
  return [
    `OpenClaw is still ${now ?? 'of an unknown version'}, its data of ${choice.version}: see that it stays the version you want`,
  ];
}

/** Procedure: "roll the version pin back". */
function escalationOf(lane: string, findings: Findings): string {
  const { target, choice, hasPinHook } = findings;
  const again = `./clawback restore ${lane} --bundle ${choice.bundle} --stop-first`;
  if (!differs(findings))
    return `\`./clawback bundles list ${lane}\` shows other bundles; \`${again}\` tries this one again`;
  const hand = `on host ${target.host.name} install OpenClaw ${choice.version} for ${target.user} (\`npm install -g openclaw@${choice.version}\`), switch its own updates off, then \`${again} --accept-version\``;
  if (hasPinHook) return `roll the version pin back: \`${again} --pin\` tries it again; by hand: ${hand}`;
  return `roll the version pin back by hand: ${hand}`;
}
