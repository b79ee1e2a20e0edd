// An incident as the operator reads it: its plan, what is lost, where it stands, and what to type next. Pure.

import type { RecoveryPlan } from '../contract/incident-plan.ts';
import type { IncidentState, LaneRecovery } from '../contract/incident-state.ts';
import { formatBytes } from '../domain/quantity.ts';
import type { IncidentReceipt } from '../receipt/incident-receipt.ts';
import { formatDuration, formatInstant, formatTable, printable } from './format.ts';

export function planLines(plan: RecoveryPlan): string {
  const { steps, lanes, estimatedRtoMs, rtoBudgetMs, ask, warnings, digest } = plan;
  const rows = lanes.map(({ lane, host, toHost, bundle, tier, proven, store, sizeBytes }) => [
    lane,
    toHost === undefined ? host : `${host} -> ${toHost}`,
    bundle ?? 'NONE',
    tier === null ? '' : `${tier}${proven ? ', proven' : ''}`,
    store ?? '',
    formatBytes(sizeBytes),
  ]);
  return [
    `plan ${digest}`,
    ...steps.map(({ step, what, lane }, at) => `  ${at + 1}. ${step}${lane === undefined ? '' : ` ${lane}`}: ${what}`),
    formatTable(['lane', 'host', 'bundle', 'tier', 'store', 'size'], rows),
    `RTO: about ${formatDuration(estimatedRtoMs)} of ${formatDuration(rtoBudgetMs)}`,
    ...lanes.flatMap(({ lane, rpo }) =>
      rpo.map((one) => `RPO of lane ${lane}, class ${one.class}: ${formatDuration(one.ageMs)}`),
    ),
    ...lost(plan),
    ...(ask === null ? [] : [`it asks first: ${ask}`]),
    ...warnings.map((text) => `warning: ${printable(text)}`),
  ].join('\n');
}

function lost({ lanes }: RecoveryPlan): string[] {
  const texts = lanes.flatMap(({ lane, lost: of }) => of.map((text) => `LOST of lane ${lane}: ${text}`));
  return texts.length === 0 ? ['lost: nothing'] : texts;
}

export function incidentText(state: IncidentState): string {
  const { incident, phase, signal, since, plan, approval, declined, outcome, rto } = state;
  return [
    `${incident}: ${phase.toUpperCase()}${state.doing === '' ? '' : `, ${state.doing}`}`,
    `opened by the ${state.openedBy} at ${formatInstant(state.openedAt)}${state.rehearsal ? ', a rehearsal' : ''}`,
    signal === null ? undefined : `first signal ${formatInstant(since)}: ${printable(signal.text)}`,
    plan === null ? undefined : planLines(plan),
    approval === null
      ? undefined
      : `approved by ${printable(approval.by)} (${approval.how}) at ${formatInstant(approval.at)}${approval.waiveFence ? ', UNFENCED' : ''}`,
    declined === null ? undefined : `declined by ${printable(declined.by)}: ${printable(declined.reason)}`,
    ...state.hands.map(
      ({ step, by, at, how }) => `done by hand: ${step}, by ${printable(by)} (${how}) at ${formatInstant(at)}`,
    ),
    state.hand === null ? undefined : `waits for somebody: ${printable(state.hand.what)}`,
    ...(outcome?.lanes ?? []).map(laneLine),
    ...(outcome?.remarks ?? []),
    rto.ms === null
      ? undefined
      : `every lane answered ${formatDuration(rto.ms)} after the first signal${rto.over ? ', OVER THE RTO' : ''}`,
    `waited ${formatDuration(rto.waitingMs)} for people, ${formatDuration(rto.provisioningMs)} for machines`,
    outcome?.escalation ? `NOT ENOUGH: ${outcome.escalation}` : undefined,
    state.message === null ? undefined : `${state.code}: ${printable(state.message)}`,
    ...(outcome?.followUp ?? []),
    ...state.warnings.map((text) => `warning: ${printable(text)}`),
    state.receipt === null
      ? undefined
      : `receipt: ./clawback receipt show ${state.receipt} --incident ${state.subject}`,
    state.next === null ? undefined : `next: ${state.next}`,
  ]
    .filter((line) => line !== undefined)
    .join('\n');
}

function laneLine({ lane, outcome, code, message }: LaneRecovery): string {
  const why = code === null ? '' : `: ${code}${message === null ? '' : `, ${printable(message)}`}`;
  return `lane ${lane} ${outcome.toUpperCase()}${why}`;
}

/** Of a receipt whose signature is good. */
export function incidentReceiptText(receipt: IncidentReceipt): string {
  const { id, scenario, subject, fleet, outcome, rto, disclaimers } = receipt;
  return [
    `signature good; ${outcome.toUpperCase()}, ${scenario} on ${subject}`,
    `  receipt ${id} of an incident, fleet ${fleet}; it proves no bundle`,
    rto.ms === null
      ? '  not every lane answered.'
      : `  Every lane answered ${formatDuration(rto.ms)} after the first signal.`,
    ...disclaimers.map((text) => `  ${text}`),
  ].join('\n');
}
