// What the pages of receipts are made of. Everything in them is escaped; they are whole in themselves, have no script, load
// nothing, and print on paper.

import { formatDuration } from '../domain/quantity.ts';
import { pageStyle } from './page-style.ts';
import type { ReceiptStep } from './receipt.ts';
import { durationOf, timeText } from './words.ts';

/** Text that is HTML already. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Markup | readonly Markup[];

/** The only way into the page: what is no markup of ours is escaped. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
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

interface Page {
  readonly title: string;
  /** Its colour. */
  readonly verdict: 'passed' | 'late' | 'failed';
  readonly word: string;
  readonly heading: string;
  readonly lines: readonly string[];
  readonly sections: readonly Markup[];
}

export function pageOf({ title, verdict, word, heading, lines, sections }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Markup(pageStyle)}</style>
</head>
<body>
<header class="${verdict}">
<p class="verdict">${word}</p>
<h1>${heading}</h1>
${lines.map((line) => html`<p>${line}</p>`)}
</header>
${sections}
</body>
</html>
`.text;
}

/** The numbers one looks for first: name, number, a word more. */
export function facts(rows: readonly (readonly string[])[]): Markup {
  return html`<section class="facts">${rows.map(
    ([name = '', value = '', more = '']) => html`<div><b>${name}</b><span>${value}</span><small>${more}</small></div>`,
  )}</section>`;
}

export function todo(items: readonly string[]): Markup {
  if (items.length === 0) return html`<section><h2>Still to do</h2><p>Nothing.</p></section>`;
  return html`<section><h2>Still to do</h2><ul class="todo">${items.map((item) => html`<li>${withCode(item)}</li>`)}</ul></section>`;
}

export function evidenceTable(rows: readonly (readonly [string, string])[]): Markup {
  return html`<section><h2>Evidence</h2><table class="evidence"><tbody>${rows.map(
    ([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>`,
  )}</tbody></table><p class="check">This page is a reading of the receipt, and proves nothing by itself. To check the receipt: <code>./clawback receipt verify FILE --key PUBLIC.pem</code></p></section>`;
}

export const signs = { passed: '✓', failed: '✗', cancelled: '✗', 'not reached': '–' } as const;

/** Where in the run the phase lies; a short one is still seen. */
export function bar(phase: ReceiptStep, { startedAt, endedAt }: Pick<ReceiptStep, 'startedAt' | 'endedAt'>): Markup {
  const wholeMs = Math.max(durationOf({ startedAt, endedAt }), 1);
  const fromPercent = clamp((100 * (Date.parse(phase.startedAt) - Date.parse(startedAt))) / wholeMs);
  const widthPercent = Math.min(clamp((100 * durationOf(phase)) / wholeMs), 100 - fromPercent);
  const title = `${phase.phase}: ${timeText(phase.startedAt)} to ${timeText(phase.endedAt)}, ${formatDuration(durationOf(phase))}`;
  return html`<i class="${phase.outcome}" title="${title}" style="left:min(${fromPercent.toFixed(2)}%,calc(100% - 3px));width:max(${widthPercent.toFixed(2)}%,3px)"></i>`;
}

export function meter(share: number): Markup {
  const percent = Math.round(100 * share);
  return html`<div class="gauge"><i style="width:${clamp(percent)}%"></i></div><small>${percent} %</small>`;
}

function clamp(percent: number): number {
  return Math.min(Math.max(percent, 0), 100);
}

/** What stands between backticks is a command or a name. */
function withCode(text: string): readonly Markup[] {
  return text.split('`').map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}
