// The first-hour checklist of an incident, filled in from its receipt. Markdown; what is still to do has an empty box.

import { formatDuration } from '../domain/quantity.ts';
import { escaped } from './checklist.ts';
import type { IncidentReceipt } from './incident-receipt.ts';
import {
  incidentEvidence,
  incidentOpenItems,
  incidentTitle,
  incidentVerdictText,
  laneText,
  placeText,
} from './incident-words.ts';
import { durationOf, instantText, timeText } from './words.ts';

/** @param sha256 of the receipt as it is stored */
export function incidentChecklist(receipt: IncidentReceipt, sha256: string): string {
  const lines = (texts: readonly string[], none: string): string => texts.join('\n') || none;
  return [
    `# First-hour checklist: ${escaped(incidentTitle(receipt))}`,
    `**${receipt.outcome.toUpperCase()}**: ${incidentVerdictText(receipt).map(escaped).join(' ')}`,
    '## Steps',
    lines(receipt.steps.map(stepLine), 'None was begun.'),
    '## Lanes',
    lines(receipt.lanes.flatMap(laneLines), 'No plan was made.'),
    '## Evidence',
    lines(
      incidentEvidence(receipt, sha256).map(([name, value]) => `- ${name}: ${escaped(value)}`),
      '',
    ),
    '## Open items',
    lines(
      incidentOpenItems(receipt).map((item) => `- [ ] ${escaped(item)}`),
      'None.',
    ),
  ].join('\n\n');
}

function stepLine(step: IncidentReceipt['steps'][number]): string {
  const { phase, startedAt, endedAt, outcome, attempts, activities, budgetMs } = step;
  const within = budgetMs === null ? '' : ` of ${formatDuration(budgetMs)}`;
  const again = attempts > activities ? `, ${attempts - activities} tried again` : '';
  const how = outcome === 'passed' ? '' : `${outcome.toUpperCase()}, `;
  return `- [${outcome === 'passed' ? 'x' : ' '}] ${timeText(startedAt)} to ${timeText(endedAt)} UTC: ${escaped(phase)}: ${how}${formatDuration(durationOf(step))}${within}${again}`;
}

function laneLines(lane: IncidentReceipt['lanes'][number]): string[] {
  const box = lane.outcome === 'recovered' ? '[x]' : '[ ]';
  return [
    `- ${box} lane ${lane.lane} (${escaped(placeText(lane))}): ${laneText(lane)}; OpenClaw ${escaped(lane.openclaw ?? 'unknown')}, profile ${escaped(lane.profile ?? 'unknown')}`,
    ...lane.bundles.map(
      ({ bundle, tier, manifestSha256 }) => `  - bundle ${bundle}, tier ${tier}; manifest SHA-256 ${manifestSha256}`,
    ),
    ...lane.rpo.map(
      (one) =>
        `  - class ${one.class}: as of ${instantText(one.capturedAt)}, ${formatDuration(one.ms)} before the first signal`,
    ),
    ...lane.lost.map((text) => `  - lost: ${escaped(text)}`),
  ];
}
