// A receipt as one page of HTML: verdict, timeline of the steps against their budgets, data, what is still to do. It is
// whole in itself, has no script, loads nothing, and prints on paper. Everything in it is escaped.

import { formatDuration } from '../domain/quantity.ts';
import { bar, evidenceTable, facts, html, type Markup, meter, pageOf, signs, todo } from './page-parts.ts';
import type { Receipt } from './receipt.ts';
import {
  evidenceText,
  approvalText,
  instantText,
  isLate,
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
export function receiptPage(receipt: Receipt, sha256: string): string {
  const { outcome, id } = receipt;
  const subject = subjectText(receipt);
  const verdict = outcome === 'passed' && isLate(receipt) ? 'late' : outcome;
  return pageOf({
    title: `${outcome}: ${subject.slice(0, 1).toLowerCase()}${subject.slice(1)} (${id})`,
    verdict,
    word: outcome.toUpperCase(),
    heading: `${subject}: ${runText(receipt)}`,
    lines: verdictText(receipt),
    sections: [
      factsOf(receipt),
      timelineOf(receipt),
      todo(openItems(receipt)),
      dataOf(receipt),
      evidenceOf(receipt, sha256),
    ],
  });
}

function factsOf(receipt: Receipt): Markup {
  const { rto, rpo, startedAt, gate } = receipt;
  const budget = `of ${formatDuration(rto.budgetMs)}${isLate(receipt) ? ', MISSED' : ''}`;
  const clock = [receipt.messageAnswered ? 'RTO' : 'Ended after', formatDuration(rto.ms), budget];
  const ofRun = [clock, ['Waited before', formatDuration(rto.waitingMs), 'for the lane']];
  return facts([
    ...(gate ? factsOfGate(receipt, gate, budget) : ofRun),
    ...rpo.map(({ dataClass, ms, capturedAt }) => [
      `${restores(receipt) ? 'Lost' : 'Would lose'}, class ${dataClass}`,
      formatDuration(ms),
      `since ${instantText(capturedAt)}`,
    ]),
    ['Began', timeText(startedAt), `UTC, ${startedAt.slice(0, 10)}`],
  ]);
}

function factsOfGate({ rto }: Receipt, { looks }: NonNullable<Receipt['gate']>, budget: string): string[][] {
  return [
    ['RTO of its drill', ...(rto.ms === 0 ? ['none', 'not reached'] : [formatDuration(rto.ms), budget])],
    ['Looks at the disk', String(looks.taken), `of ${looks.expected}`],
  ];
}

/** Days where it took days. */
function spanText({ startedAt, endedAt }: Receipt): string {
  const [first, last] = [startedAt.slice(0, 10), endedAt.slice(0, 10)];
  return first === last ? `${timeText(startedAt)} to ${timeText(endedAt)} UTC` : `${first} to ${last}`;
}

function timelineOf(receipt: Receipt): Markup {
  const rows = stepSummaries(receipt).map((step) => stepRow(step, receipt));
  return html`<section>
<h2>Steps against their budgets</h2>
<table class="steps">
<thead><tr><th>Step</th><th class="track">${spanText(receipt)}</th><th>Took</th><th>Budget</th><th class="meter">Used of it</th></tr></thead>
<tbody>${rows}</tbody>
</table>
</section>`;
}

function stepRow(step: StepSummary, receipt: Receipt): Markup {
  const { title, phases, ms, budgetMs, outcome, retries } = step;
  const note = [
    outcome === 'passed' ? '' : outcome,
    retries > 0 ? `${retries} tried again` : '',
    evidenceText(step, receipt),
  ];
  const late = budgetMs !== null && ms > budgetMs;
  return html`<tr class="${outcome.replace(' ', '-')}${late ? ' over' : ''}">
<td><span class="sign">${signs[outcome]}</span> ${title}<small>${note.filter((text) => text !== '').join('; ')}</small></td>
<td class="track"><div class="bars">${phases.map((phase) => bar(phase, receipt))}</div></td>
<td>${phases.length === 0 ? '' : formatDuration(ms)}</td>
<td>${budgetMs === null ? '' : formatDuration(budgetMs)}${late ? html` <b>OVER</b>` : ''}</td>
<td class="meter">${budgetMs === null ? '' : meter(ms / Math.max(budgetMs, 1))}</td>
</tr>`;
}

function dataOf(receipt: Receipt): Markup {
  const { bundles, rpo, gate } = receipt;
  if (gate) return archivesOf(gate);
  if (bundles.length === 0) return html`<section><h2>Data</h2><p>No bundle was chosen.</p></section>`;
  const classesOf = (bundle: string): string =>
    rpo
      .filter((one) => one.bundle === bundle)
      .map(({ dataClass }) => `class ${dataClass}`)
      .join(', ');
  const rows = bundles.map(
    ({ bundle, tier, capturedAt, components, whole, manifestSha256 }) => html`<tr>
<td class="id">${bundle}<small>tier ${tier}, ${classesOf(bundle)}${whole ? '' : ', in part'}</small></td><td>${instantText(capturedAt)}</td><td>${components.join(', ')}</td><td class="digest">${manifestSha256}</td></tr>`,
  );
  return html`<section><h2>Data</h2><table><thead><tr><th>Bundle</th><th>Captured</th><th>${restores(receipt) ? 'Restored of it' : 'Chosen of it'}</th><th>SHA-256 of its manifest</th></tr></thead><tbody>${rows}</tbody></table></section>`;
}

function archivesOf({ archives }: NonNullable<Receipt['gate']>): Markup {
  const rows = archives.map(
    ({ day, lane, bundle, key, manifestSha256 }) =>
      html`<tr><td>${day}</td><td>${lane}</td><td class="id">${bundle}<small>${key}</small></td><td class="digest">${manifestSha256}</td></tr>`,
  );
  if (rows.length === 0) return html`<section><h2>Archives</h2><p>None was made.</p></section>`;
  return html`<section><h2>Archives</h2><table class="archives"><thead><tr><th>Day</th><th>Lane</th><th>Bundle</th><th>SHA-256 of its manifest</th></tr></thead><tbody>${rows}</tbody></table></section>`;
}

function evidenceOf(receipt: Receipt, sha256: string): Markup {
  const { id, host, fleet, workflow, versions, clocks, approvals, startedAt, endedAt, gate } = receipt;
  const { section } = workflow;
  const none = gate ? 'nobody signed' : 'none were needed';
  const rows: (readonly [string, string])[] = [
    ['Receipt', `${id}; it ${proofText(receipt)}`],
    ['Its SHA-256', sha256],
    ['Fleet and host', `${fleet}; ${host.name} in ${host.region}, SSH host key ${host.hostKey}`],
    ['Workflow', `${workflow.id}, run ${workflow.runId}`],
    ...(gate ? [] : [['Section', `${section.id}, run ${section.runId}`] as const]),
    ['Time', `${instantText(startedAt)} to ${instantText(endedAt)}`],
    [
      'Versions',
      `OpenClaw ${versions.openclaw.lane ?? 'unknown'} on the lane, ${versions.openclaw.bundle ?? 'unknown'} in the bundle; profile ${versions.profile}; ${versions.os ?? 'system unknown'}; Clawback ${versions.clawback}`,
    ],
    ['Clock', clocks.hostOffsetMs === null ? 'not measured' : `the host is ${clocks.hostOffsetMs} ms off the worker`],
    ['Approvals', approvals.map(approvalText).join('; ') || none],
  ];
  return evidenceTable(rows);
}
