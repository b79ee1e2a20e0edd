// A receipt as one page of HTML: verdict, timeline of the steps against their budgets, data, what is still to do. It is
// whole in itself, has no script, loads nothing, and prints on paper. Everything in it is escaped.

import { formatDuration } from '../domain/quantity.ts';
import { pageStyle } from './page-style.ts';
import type { Receipt, ReceiptStep } from './receipt.ts';
import {
  durationOf,
  evidenceText,
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

/** Text that is HTML already. */
class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Markup | readonly Markup[];

/** The only way into the page: what is no markup of ours is escaped. */
function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const shown = parts.map((part) => (Array.isArray(part) ? part.map(shownOf).join('') : shownOf(part as string)));
  return new Markup(texts.map((text, at) => text + (shown[at] ?? '')).join(''));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function shownOf(part: string | number | Markup): string {
  if (part instanceof Markup) return part.text;
  return String(part).replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? '');
}

/** @param sha256 of the receipt as it is stored */
export function receiptPage(receipt: Receipt, sha256: string): string {
  const { outcome, id } = receipt;
  const subject = subjectText(receipt);
  const verdict = outcome === 'passed' && isLate(receipt) ? 'late' : outcome;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${outcome}: ${subject.slice(0, 1).toLowerCase()}${subject.slice(1)} (${id})</title>
<style>${new Markup(pageStyle)}</style>
</head>
<body>
<header class="${verdict}">
<p class="verdict">${outcome.toUpperCase()}</p>
<h1>${subject}: ${runText(receipt)}</h1>
${verdictText(receipt).map((line) => html`<p>${line}</p>`)}
</header>
${factsOf(receipt)}
${timelineOf(receipt)}
${openItemsOf(receipt)}
${dataOf(receipt)}
${evidenceOf(receipt, sha256)}
</body>
</html>
`.text;
}

function factsOf(receipt: Receipt): Markup {
  const { rto, rpo, startedAt } = receipt;
  const facts = [
    [
      receipt.messageAnswered ? 'RTO' : 'Ended after',
      formatDuration(rto.ms),
      `of ${formatDuration(rto.budgetMs)}${isLate(receipt) ? ', MISSED' : ''}`,
    ],
    ['Waited before', formatDuration(rto.waitingMs), 'for the lane'],
    ...rpo.map(({ dataClass, ms, capturedAt }) => [
      `${restores(receipt) ? 'Lost' : 'Would lose'}, class ${dataClass}`,
      formatDuration(ms),
      `since ${instantText(capturedAt)}`,
    ]),
    ['Began', timeText(startedAt), `UTC, ${startedAt.slice(0, 10)}`],
  ];
  return html`<section class="facts">${facts.map(
    ([name = '', value = '', more = '']) => html`<div><b>${name}</b><span>${value}</span><small>${more}</small></div>`,
  )}</section>`;
}

function timelineOf(receipt: Receipt): Markup {
  const rows = stepSummaries(receipt).map((step) => stepRow(step, receipt));
  return html`<section>
<h2>Steps against their budgets</h2>
<table class="steps">
<thead><tr><th>Step</th><th class="track">${timeText(receipt.startedAt)} to ${timeText(receipt.endedAt)} UTC</th><th>Took</th><th>Budget</th><th class="meter">Used of it</th></tr></thead>
<tbody>${rows}</tbody>
</table>
</section>`;
}

const signs = { passed: '✓', failed: '✗', cancelled: '✗', 'not reached': '–' } as const;

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

/** Where in the run the phase lies; a short one is still seen. */
function bar(phase: ReceiptStep, { startedAt, endedAt }: Receipt): Markup {
  const wholeMs = Math.max(durationOf({ startedAt, endedAt }), 1);
  const fromPercent = clamp((100 * (Date.parse(phase.startedAt) - Date.parse(startedAt))) / wholeMs);
  const widthPercent = Math.min(clamp((100 * durationOf(phase)) / wholeMs), 100 - fromPercent);
  const title = `${phase.phase}: ${timeText(phase.startedAt)} to ${timeText(phase.endedAt)}, ${formatDuration(durationOf(phase))}`;
  return html`<i class="${phase.outcome}" title="${title}" style="left:min(${fromPercent.toFixed(2)}%,calc(100% - 3px));width:max(${widthPercent.toFixed(2)}%,3px)"></i>`;
}

function meter(share: number): Markup {
  const percent = Math.round(100 * share);
  return html`<div class="gauge"><i style="width:${clamp(percent)}%"></i></div><small>${percent} %</small>`;
}

function clamp(percent: number): number {
  return Math.min(Math.max(percent, 0), 100);
}

function openItemsOf(receipt: Receipt): Markup {
  const items = openItems(receipt);
  if (items.length === 0) return html`<section><h2>Still to do</h2><p>Nothing.</p></section>`;
  return html`<section><h2>Still to do</h2><ul class="todo">${items.map((item) => html`<li>${withCode(item)}</li>`)}</ul></section>`;
}

/** What stands between backticks is a command or a name. */
function withCode(text: string): readonly Markup[] {
  return text.split('`').map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
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
  return html`<section><h2>Archives</h2><table><thead><tr><th>Day</th><th>Lane</th><th>Bundle</th><th>SHA-256 of its manifest</th></tr></thead><tbody>${rows}</tbody></table></section>`;
}

function evidenceOf(receipt: Receipt, sha256: string): Markup {
  const { id, host, fleet, workflow, versions, clocks, approvals, startedAt, endedAt } = receipt;
  const rows: (readonly [string, string])[] = [
    ['Receipt', `${id}; it ${proofText(receipt)}`],
    ['Its SHA-256', sha256],
    ['Fleet and host', `${fleet}; ${host.name} in ${host.region}, SSH host key ${host.hostKey}`],
    ['Workflow', `${workflow.id}, run ${workflow.runId}`],
    ['Section', `${workflow.section.id}, run ${workflow.section.runId}`],
    ['Time', `${instantText(startedAt)} to ${instantText(endedAt)}`],
    [
      'Versions',
      `OpenClaw ${versions.openclaw.lane ?? 'unknown'} on the lane, ${versions.openclaw.bundle ?? 'unknown'} in the bundle; profile ${versions.profile}; ${versions.os ?? 'system unknown'}; Clawback ${versions.clawback}`,
    ],
    ['Clock', clocks.hostOffsetMs === null ? 'not measured' : `the host is ${clocks.hostOffsetMs} ms off the worker`],
    ['Approvals', approvals.map(({ by, at }) => `${by} at ${instantText(at)}`).join('; ') || 'none were needed'],
  ];
  return html`<section><h2>Evidence</h2><table class="evidence"><tbody>${rows.map(
    ([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>`,
  )}</tbody></table><p class="check">This page is a reading of the receipt, and proves nothing by itself. To check the receipt: <code>./clawback receipt verify FILE --key PUBLIC.pem</code></p></section>`;
}
