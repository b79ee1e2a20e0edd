// Temporal's own web UI, as an operator uses it: the form that starts a workflow, a workflow's pages, the list.
// Its pages poll for as long as they are open, so nothing waits for a quiet network.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Page, Response } from 'playwright-core';
import { queues } from '../../src/contract/names.ts';

export interface StartForm {
  readonly workflowId: string;
  readonly workflowType: string;
  /** What is typed into the one field for input, as it stands. */
  readonly input: string;
}

const namespace = 'default';
/** A machine under load 20 takes this long to draw a page. */
const drawMs = 30_000;
/** The first click on a page that has only just been drawn does nothing. */
const settleMs = 1_500;

const presses = 3;
const pressMs = 10_000;

function isStart(response: Response): boolean {
  return response.request().method() === 'POST' && response.url().includes('/workflows/');
}

export class TemporalUi {
  readonly #page: Page;
  readonly #base: string;

  constructor(page: Page, uiUrl: string) {
    this.#page = page;
    this.#base = `${uiUrl}/namespaces/${namespace}`;
    page.setDefaultTimeout(drawMs);
  }

  /** Opens the form and fills it in; nothing is started yet. */
  async fillStartForm(form: StartForm): Promise<void> {
    const page = this.#page;
    await page.goto(`${this.#base}/workflows/start-workflow`, { waitUntil: 'load' });
    await page.locator('.cm-content').waitFor();
    await sleep(settleMs);
    await page.locator('#workflowId').fill(form.workflowId);
    await page.locator('#taskQueue').fill(queues.host);
    await page.locator('#workflowType').fill(form.workflowType);
    await page.locator('.cm-content').click();
    await page.keyboard.press('ControlOrMeta+a');
    // pasted: typed braces and quotes would be closed by the editor
    await page.keyboard.insertText(form.input);
  }

  /** Presses the form's button, again where the page had not been ready for it; the server has the workflow then. */
  async pressStart(): Promise<void> {
    const button = this.#page.locator('[data-testid=start-workflow-button]');
    for (let tries = 1; ; tries += 1) {
      const answered = this.#page.waitForResponse(isStart, { timeout: pressMs }).catch(() => undefined);
      await button.click();
      const answer = await answered;
      if (answer?.ok()) return;
      if (answer !== undefined || tries === presses)
        throw new Error(`the form started nothing: ${answer?.status() ?? 'it sent no request'}`);
    }
  }

  /** Opens one of the pages of a workflow's newest run, and waits for a text on it. */
  async openWorkflow(workflowId: string, tab: string, text: string | RegExp): Promise<void> {
    const workflow = `${this.#base}/workflows/${encodeURIComponent(workflowId)}`;
    // the page without a run leads to the newest one
    await this.#page.goto(workflow, { waitUntil: 'load' });
    await this.#page.waitForURL(`${workflow}/*/**`);
    const run =
      this.#page
        .url()
        .slice(workflow.length + 1)
        .split('/')[0] ?? '';
    await this.#page.goto(`${workflow}/${run}/${tab}`, { waitUntil: 'load' });
    const untilMs = Date.now() + drawMs;
    while (!matches(await this.text(), text)) {
      if (Date.now() > untilMs) throw new Error(`${workflowId}, ${tab}: no ${String(text)} in\n${await this.text()}`);
      await sleep(200);
    }
    await sleep(settleMs);
  }

  async openList(query: string): Promise<void> {
    await this.#page.goto(`${this.#base}/workflows?query=${encodeURIComponent(query)}`, { waitUntil: 'load' });
    await this.#page.locator('tbody tr').first().waitFor();
    await sleep(settleMs);
  }

  /** All that the page says; Markdown stands in frames of its own. */
  async text(): Promise<string> {
    const texts = this.#page.frames().map((frame) =>
      frame
        .locator('body')
        .innerText({ timeout: 1_000 })
        .catch(() => ''),
    );
    return (await Promise.all(texts)).join('\n');
  }
}

function matches(page: string, text: string | RegExp): boolean {
  return typeof text === 'string' ? page.includes(text) : text.test(page);
}
