// What the receipt of an incident means, in the words that its checklist and its page share. Pure.

import { failureTable } from '../domain/failure.ts';
import { formatDuration } from '../domain/quantity.ts';
import type { IncidentReceipt } from './incident-receipt.ts';
import { instantText } from './words.ts';

type Outcome = IncidentReceipt['outcome'];

const meanings: Readonly<Partial<Record<Outcome, string>>> = {
  recovered: 'Every lane was brought back',
  closed: 'The signal cleared before anybody approved; nothing was done',
  declined: 'Its plan was declined; nothing was done',
  failed: 'NOT EVERY LANE IS BACK, or it was not enough',
  cancelled: 'It was cancelled; what ran on lanes was ended and put right first',
};

/** Green, amber, red: the end, and whether it was in time. */
export function incidentVerdict({ outcome, rto }: IncidentReceipt): 'passed' | 'late' | 'failed' {
  if (outcome === 'failed' || outcome === 'cancelled') return 'failed';
  return outcome === 'recovered' && !rto.over ? 'passed' : 'late';
}

/** `Host loss of mac-1, a rehearsal`. */
export function incidentTitle({ scenario, subject, rehearsal }: IncidentReceipt): string {
  const name = scenario.replace('-', ' ');
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}, ${subject}${rehearsal ? ' (a rehearsal)' : ''}`;
}

export function incidentVerdictText(receipt: IncidentReceipt): string[] {
  const { outcome, rto, failure, escalation, disclaimers } = receipt;
  return [
    `${meanings[outcome] ?? outcome}.`,
    ...(failure === null ? [] : [`${failure}: ${failureTable[failure].meaning}.`]),
    ...(rto.ms === null ? [] : [`Every lane answered a test message ${within(receipt)} after the first signal.`]),
    ...(rto.over ? ['THE RTO WAS MISSED.'] : []),
    ...(escalation === null ? [] : [`It was not enough: ${escalation}.`]),
    ...disclaimers.map((text) => `${text}.`),
  ];
}

function within({ rto: { ms, budgetMs } }: IncidentReceipt): string {
  return `${formatDuration(ms ?? 0)}${budgetMs === null ? '' : ` (RTO ${formatDuration(budgetMs)})`}`;
}

/** Whose word it rested on. */
export function approvalTexts({ approval, declined, hands }: IncidentReceipt): string[] {
  const said = { policy: 'fleet.yaml lets it act alone', signed: 'by SSH signature', stated: 'his own statement' };
  return [
    ...(approval === null
      ? []
      : [
          `plan approved by ${approval.by} at ${instantText(approval.at)}, ${said[approval.how]}${approval.waiveFence ? ', FENCE WAIVED' : ''}`,
        ]),
    ...(declined === null ? [] : [`declined by ${declined.by} at ${instantText(declined.at)}: ${declined.reason}`]),
    ...hands.map(
      ({ step, what, by, at, how, address }) =>
        `by hand, ${step} (${what})${address === null ? '' : ` at ${address}`}: ${by} at ${instantText(at)}, ${said[how]}`,
    ),
  ];
}

/** What an operator has still to do, the most pressing first. */
export function incidentOpenItems(receipt: IncidentReceipt): string[] {
  const { lanes, failure, escalation, outcome, warnings, disclaimers } = receipt;
  const left = lanes.filter((one) => one.outcome === 'failed' || one.outcome === 'untouched');
  const acted = outcome === 'recovered' || outcome === 'failed';
  return [
    ...(escalation === null ? [] : [`Not enough: ${escalation}.`]),
    ...left.map(
      ({ lane, failure: code }) =>
        `Lane ${lane} is not back${code === null ? '' : ` (${code}: ${failureTable[code].hint})`}: \`./clawback status ${lane}\`.`,
    ),
    ...(failure === null || left.length > 0 ? [] : [`${failure}: ${failureTable[failure].hint}.`]),
    ...disclaimers.map((text) => `${text}.`),
    ...warnings,
    ...(acted
      ? lanes
          .filter((one) => one.outcome === 'recovered' && one.bundle !== null && one.answeredAt !== null)
          .map(({ lane }) => `Back lane ${lane} up as it is now: \`./clawback backup ${lane} --tier B\`.`)
      : []),
  ];
}

/** Of each lane: what came of it. */
export function laneText({ outcome, answeredAt, failure }: IncidentReceipt['lanes'][number]): string {
  if (outcome === null) return 'nothing was done';
  const answered = answeredAt === null ? '' : `, answered at ${instantText(answeredAt)}`;
  return `${outcome}${answered}${failure === null ? '' : ` (${failure})`}`;
}

export function placeText({ host, toHost }: IncidentReceipt['lanes'][number]): string {
  return toHost === null ? host : `${host} -> ${toHost}`;
}

/** Of all lanes the oldest, by class. */
export function worstRpo({ lanes }: IncidentReceipt): IncidentReceipt['lanes'][number]['rpo'] {
  const all = lanes.flatMap(({ rpo }) => rpo);
  return ([1, 2] as const).flatMap((of) =>
    all
      .filter((one) => one.class === of)
      .toSorted((a, b) => b.ms - a.ms)
      .slice(0, 1),
  );
}

export function incidentEvidence(receipt: IncidentReceipt, sha256: string): (readonly [string, string])[] {
  const { id, fleet, hosts, workflow, plan, startedAt, endedAt, signal, since, openedBy, clocks, versions } = receipt;
  const { waitingMs, provisioningMs } = receipt.rto;
  return [
    ['Receipt', `${id}; it proves no bundle: its restores have receipts of their own`],
    ['Its SHA-256', sha256],
    ['Fleet', `${fleet}; opened by the ${openedBy}`],
    [
      'First signal',
      signal === null ? `none; counted from ${instantText(since)}` : `${instantText(since)}: ${signal.text}`,
    ],
    ['Plan', plan === null ? 'none could be made' : `${plan.digest}, of the fleet file ${plan.fleetSha256}`],
    ['Approvals', approvalTexts(receipt).join('; ') || 'none'],
    [
      'Hosts',
      hosts
        .map(({ name, region, hostKey }) => `${name}${region === null ? '' : ` in ${region}`}, SSH host key ${hostKey}`)
        .join('; ') || 'none known',
    ],
    ['Workflow', `${workflow.id}, run ${workflow.runId}`],
    [
      'Time',
      `${instantText(startedAt)} to ${instantText(endedAt)}; waited ${formatDuration(waitingMs)} for people, ${formatDuration(provisioningMs)} for machines`,
    ],
    ['Versions', `Clawback ${versions.clawback}; OpenClaw and profile by lane above`],
    ['Clocks', `the signing worker's is ${clocks.workerOffsetMs} ms off Temporal's`],
  ];
}
