// The first-hour checklist of a restore (procedure, "Restoring a lane": steps, times, evidence, open items), filled in
// from its receipt. Markdown; what is still to do has an empty box.

import { formatDuration } from '../domain/quantity.ts';
import type { Receipt } from './receipt.ts';
import {
  approvalText,
  durationOf,
  evidenceText,
  instantText,
  openItems,
  proofText,
  restores,
  runText,
  type StepSummary,
  stepSummaries,
  subjectText,
  timeText,
  verdictText,
} from './words.ts';

/** @param sha256 of the receipt as it is stored */
export function checklistText(receipt: Receipt, sha256: string): string {
  const { lane, host, id, outcome, gate } = receipt;
  return [
    gate ? `# 7-day gate: ${escaped(subjectText(receipt))}` : `# First-hour checklist: lane ${lane} on ${host.name}`,
    `**${outcome.toUpperCase()}**: ${runText(receipt)}. ${verdictText(receipt).map(escaped).join(' ')}`,
    '## Steps',
    stepSummaries(receipt)
      .map((step) => stepLines(step, receipt))
      .join('\n'),
    '## Data',
    dataLines(receipt).join('\n'),
    '## Evidence',
    evidenceLines(receipt, id, sha256).join('\n'),
    '## Open items',
    openItems(receipt)
      .map((item) => `- [ ] ${escaped(item)}`)
      .join('\n') || 'None.',
  ].join('\n\n');
}

function stepLines(summary: StepSummary, receipt: Receipt): string {
  const { title, phases, ms, budgetMs, outcome, retries } = summary;
  const box = outcome === 'passed' ? '[x]' : '[ ]';
  if (phases.length === 0) return `- ${box} ${title}: not reached`;
  const within = budgetMs === null ? '' : ` of ${formatDuration(budgetMs)}${ms > budgetMs ? ', OVER' : ''}`;
  const again = retries > 0 ? `, ${retries} tried again` : '';
  const shown = evidenceText(summary, receipt);
  const head = `- ${box} ${title}: ${outcome === 'passed' ? '' : `${outcome.toUpperCase()}, `}${formatDuration(ms)}${within}${again}`;
  const parts = phases.map(
    (phase) =>
      `  - ${timeText(phase.startedAt)} to ${timeText(phase.endedAt)} UTC: ${escaped(phase.phase)} (${formatDuration(durationOf(phase))})`,
  );
  return [`${head}${shown === '' ? '' : `; ${escaped(shown)}`}`, ...parts].join('\n');
}

function dataLines(receipt: Receipt): string[] {
  const { rpo, bundles, gate } = receipt;
  if (gate) return gate.archives.map(archiveLine);
  const is = restores(receipt) ? 'as' : 'would have been as';
  const classes = rpo.map(
    ({ dataClass, bundle, capturedAt, ms }) =>
      `- class ${dataClass}: ${is} of ${instantText(capturedAt)}, ${formatDuration(ms)} before the restore (${bundle})`,
  );
  const sources = bundles.map(
    ({ bundle, tier, components, manifestSha256 }) =>
      `- bundle ${bundle}, tier ${tier}: ${components.join(', ')}; manifest SHA-256 ${manifestSha256}`,
  );
  return classes.length + sources.length > 0 ? [...classes, ...sources] : ['No bundle was chosen.'];
}

function archiveLine({ day, lane, bundle, manifestSha256 }: NonNullable<Receipt['gate']>['archives'][number]): string {
  return `- day ${day}, ${lane}: ${bundle}; manifest SHA-256 ${manifestSha256}`;
}

function evidenceLines(receipt: Receipt, id: string, sha256: string): string[] {
  const { workflow, host, versions, startedAt, endedAt, rto, clocks, approvals } = receipt;
  const openclaw = [versions.openclaw.lane ?? 'unknown', versions.openclaw.bundle ?? 'unknown'];
  const offset = clocks.hostOffsetMs === null ? 'not measured' : `${clocks.hostOffsetMs} ms off the worker's`;
  return [
    `- receipt ${id}, SHA-256 ${sha256}; it ${proofText(receipt)}`,
    `- workflow ${escaped(workflow.id)}, run ${escaped(workflow.runId)}`,
    `- from ${instantText(startedAt)} to ${instantText(endedAt)}; waited ${formatDuration(rto.waitingMs)} for the lane before`,
    `- host ${escaped(host.name)} in ${escaped(host.region)}, SSH host key ${host.hostKey}, its clock ${offset}`,
    `- OpenClaw ${escaped(openclaw[0] ?? '')} on the lane, ${escaped(openclaw[1] ?? '')} in the bundle; profile ${escaped(versions.profile)}; ${escaped(versions.os ?? 'system unknown')}; Clawback ${escaped(versions.clawback)}`,
    ...approvals.map((one) => `- approved by ${escaped(approvalText(one))}`),
  ];
}

/** Text of others as text: it makes no heading, link or line of its own. */
export function escaped(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/[\\*_[\]<>|#]/g, (sign) => `\\${sign}`);
}
