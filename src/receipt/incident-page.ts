// The receipt of an incident as one page of HTML: verdict, timeline, what became of each lane, what is still to do.

import { formatDuration } from '../domain/quantity.ts';
import type { IncidentReceipt } from './incident-receipt.ts';
import {
  incidentEvidence,
  incidentOpenItems,
  incidentTitle,
  incidentVerdict,
  incidentVerdictText,
  laneText,
  placeText,
  worstRpo,
} from './incident-words.ts';
import { bar, evidenceTable, facts, html, type Markup, meter, pageOf, signs, todo } from './page-parts.ts';
import { durationOf, instantText, timeText } from './words.ts';

/** @param sha256 of the receipt as it is stored */
export function incidentPage(receipt: IncidentReceipt, sha256: string): string {
  const { outcome, id } = receipt;
  return pageOf({
    title: `${outcome}: ${incidentTitle(receipt)} (${id})`,
    verdict: incidentVerdict(receipt),
    word: outcome.toUpperCase(),
    heading: incidentTitle(receipt),
    lines: incidentVerdictText(receipt),
    sections: [
      factsOf(receipt),
      todo(incidentOpenItems(receipt)),
      lanesOf(receipt),
      timelineOf(receipt),
      planOf(receipt),
      evidenceTable(incidentEvidence(receipt, sha256)),
    ],
  });
}

function factsOf(receipt: IncidentReceipt): Markup {
  const { rto, since } = receipt;
  const budget = rto.budgetMs === null ? '' : `of ${formatDuration(rto.budgetMs)}${rto.over ? ', MISSED' : ''}`;
  return facts([
    ['RTO', rto.ms === null ? 'none' : formatDuration(rto.ms), rto.ms === null ? 'not every lane answered' : budget],
    ['Waited for people', formatDuration(rto.waitingMs), 'inside it'],
    ['For machines', formatDuration(rto.provisioningMs), 'inside it'],
    ...worstRpo(receipt).map((one) => [
      `RPO, class ${one.class}`,
      formatDuration(Math.max(0, one.ms)),
      `since ${instantText(one.capturedAt)}`,
    ]),
    ['First signal', timeText(since), `UTC, ${since.slice(0, 10)}`],
  ]);
}

function lanesOf({ lanes, pruned }: IncidentReceipt): Markup {
  if (lanes.length === 0) return html`<section><h2>Lanes</h2><p>No plan was made.</p></section>`;
  const rows = lanes.map((one) => {
    const freed = pruned.find(({ lane }) => lane === one.lane);
    const notes = [
      ...(freed ? [`${freed.removedBytes} bytes removed, ${freed.freeAfterBytes} are free`] : []),
      ...one.lost.map((text) => `lost: ${text}`),
    ];
    return html`<tr>
<td>${one.lane}<small>${placeText(one)}</small></td><td>${laneText(one)}${notes.map((note) => html`<small>${note}</small>`)}</td>
<td>${one.bundles.map(({ bundle, tier, manifestSha256 }) => html`<div>${bundle}<small>tier ${tier}; manifest <span class="digest">${manifestSha256}</span></small></div>`)}</td>
<td>${one.openclaw ?? 'unknown'}<small>${one.profile ?? ''}</small></td></tr>`;
  });
  return html`<section><h2>Lanes</h2><table class="lanes"><thead><tr><th>Lane</th><th>Came of it</th><th>From</th><th>OpenClaw there</th></tr></thead><tbody>${rows}</tbody></table></section>`;
}

function timelineOf(receipt: IncidentReceipt): Markup {
  const { steps, startedAt, endedAt } = receipt;
  const rows = steps.map(({ phase, budgetMs, outcome, attempts, activities, ...step }) => {
    const ms = durationOf(step);
    const retries = attempts - activities;
    const note = [outcome === 'passed' ? '' : outcome, retries > 0 ? `${retries} tried again` : ''];
    return html`<tr class="${outcome}">
<td><span class="sign">${signs[outcome]}</span> ${phase}<small>${note.filter((text) => text !== '').join('; ')}</small></td>
<td class="track"><div class="bars">${[bar({ ...step, phase, budgetMs, outcome, attempts, activities }, receipt)]}</div></td>
<td>${formatDuration(ms)}</td><td>${budgetMs === null ? '' : formatDuration(budgetMs)}</td>
<td class="meter">${budgetMs === null ? '' : meter(ms / Math.max(budgetMs, 1))}</td></tr>`;
  });
  return html`<section><h2>What was done</h2><table class="steps">
<thead><tr><th>Step</th><th class="track">${timeText(startedAt)} to ${timeText(endedAt)} UTC</th><th>Took</th><th>Budget</th><th class="meter">Used of it</th></tr></thead>
<tbody>${rows}</tbody></table></section>`;
}

function planOf({ plan }: IncidentReceipt): Markup {
  if (plan === null) return html``;
  const asked = plan.ask === null ? '' : html`<p>It asked first: ${plan.ask}</p>`;
  return html`<section><h2>The plan</h2>${asked}<ol>${plan.steps.map(({ what }) => html`<li>${what}</li>`)}</ol></section>`;
}
