// What an incident's page in the Temporal UI says, as Markdown, and what an operator is told to type next. Pure.

import type { IncidentState } from '../contract/incident-state.ts';
import type { PlannedLane, RecoveryPlan } from '../contract/incident-plan.ts';
import { formatBytes, formatDuration } from '../domain/quantity.ts';

export function incidentDetails(state: IncidentState): string {
  const { scenario, subject, phase, doing, plan, outcome, next, warnings, message, rto } = state;
  return [
    `**${scenario} on ${subject}: ${phase}**${doing === '' ? '' : ` (${doing})`}`,
    state.signal === null ? undefined : `first signal ${state.signal.since}: ${state.signal.text}`,
    plan === null ? undefined : planDetails(plan),
    state.approval === null
      ? undefined
      : `approved by ${state.approval.by} (${state.approval.how}) at ${state.approval.at}`,
    rto.ms === null ? undefined : `every lane answered ${formatDuration(rto.ms)} after the first signal`,
    rto.over ? '**over the RTO**' : undefined,
    ...(outcome?.lanes ?? []).map(
      ({ lane, outcome: of, message: why }) => `- ${lane}: ${of}${why === null ? '' : `: ${why}`}`,
    ),
    outcome?.escalation === null || outcome === null ? undefined : `**not enough**: ${outcome.escalation}`,
    message ?? undefined,
    ...warnings.map((text) => `- ${text}`),
    next === null ? undefined : `next: \`${next}\``,
  ]
    .filter((part) => part !== undefined)
    .join('\n\n');
}

function planDetails(plan: RecoveryPlan): string {
  return [
    `plan \`${plan.digest.slice(0, 12)}…\`, RTO about ${formatDuration(plan.estimatedRtoMs)}`,
    ...(plan.ask === null ? [] : [`it asks first: ${plan.ask}`]),
    '',
    ...plan.steps.map(({ step, what }) => `1. ${step}: ${what}`),
    '',
    ...plan.lanes.map(laneDetails),
  ].join('\n');
}

function laneDetails({ lane, bundle, store, sizeBytes, lost }: PlannedLane): string {
  const from = bundle === null ? 'NO good bundle' : `bundle ${bundle} in ${store} (${formatBytes(sizeBytes)})`;
  return `- ${lane}: ${from}${lost.length === 0 ? '' : `; lost is ${lost.join(', ')}`}`;
}

/** What is typed next; null when nothing is. */
export function nextOf({ phase, incident, hand, scenario, subject }: IncidentState): string | null {
  if (phase === 'awaiting-approval') return `./clawback approve ${incident}`;
  if (hand !== null) return `./clawback incidents show ${incident}`;
  if (phase === 'failed') return `./clawback incidents show ${incident}`;
  if (phase === 'planned') return `./clawback recover ${scenario} ${subject}`;
  return null;
}
