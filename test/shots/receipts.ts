// The pages of receipts, as an operator opens them: of the restore that the story told, and of one that failed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { gateTable } from '../../src/domain/gate.ts';
import { incidentPage } from '../../src/receipt/incident-page.ts';
import { receiptPage } from '../../src/receipt/page.ts';
import { openReceipt, type Receipt } from '../../src/receipt/receipt.ts';
import type { Rig } from '../rig/rig.ts';
import { hostLoss, recovered } from '../unit/receipt/incidents.ts';
import { failed, receiptOf } from '../unit/receipt/receipts.ts';

type Look = (name: string, fullPage: boolean) => Promise<void>;

/** A restore that ran into a locked keychain, late, and was rolled back. */
export function failedReceipt(): Receipt {
  const { steps, rto, disclaimers } = receiptOf();
  const [check, tree, stop, swap, secrets, smoke] = steps as [Step, Step, Step, Step, Step, Step];
  const settled = { ...smoke, step: 'settle', phase: 'putting the lane right', budgetMs: null };
  return receiptOf({
    ...failed,
    failure: 'KeychainLocked',
    steps: [
      check,
      { ...tree, budgetMs: 600_000 },
      stop,
      { ...swap, budgetMs: 600_000 },
      { ...secrets, outcome: 'failed' },
      settled,
    ],
    rto: { ...rto, over: ['tree (budget 10 min)'] },
    warnings: ["the host's clock is 75 s off the worker's"],
    disclaimers,
  });
}

function stateOf(day: number): 'passed' | 'failed' | 'waiting' {
  if (day === 5) return 'failed';
  return day < 5 ? 'passed' : 'waiting';
}

/** A gate whose drill was too slow: day 5 stands. */
export function gateReceipt(): Receipt {
  const at = (day: number, hour: number): string => new Date(Date.UTC(2026, 10, 16 + day, hour)).toISOString();
  const evidence = ['agent-1: 20261120T031500Z-0123abcd, health 200 and a message answered after 1 h 44 m'];
  const late = 'the drill took 1 h 44 m, its RTO is 1 h 30 m';
  const days = gateTable.map(({ day, action, passes }) => ({
    day,
    action,
    passes,
    state: stateOf(day),
    attempts: day < 6 ? 1 : 0,
    startedAt: day < 6 ? at(day, 3) : null,
    endedAt: day < 6 ? at(day, 4) : null,
    evidence: day === 5 ? evidence : [`seen on day ${day}: all that was asked`].slice(0, day < 5 ? 1 : 0),
    failure: day === 5 ? ('BudgetExceeded' as const) : null,
    message: day === 5 ? late : null,
  }));
  const archives = ['agent-1', 'agent-2'].map((lane) => ({
    day: 1,
    lane,
    bundle: '20261116T031500Z-0123abcd',
    key: `${lane}/manifests/20261116T031500Z-0123abcd.json`,
    manifestSha256: 'ab'.repeat(32),
  }));
  return receiptOf({
    ...failed,
    kind: 'gate',
    failure: 'BudgetExceeded',
    bundles: [],
    startedAt: at(0, 3),
    endedAt: at(6, 9),
    gate: {
      gate: 'gate/demo/mac-1',
      lanes: ['agent-1', 'agent-2'],
      dayLengthMs: null,
      timeZone: 'Asia/Tokyo',
      days,
      archives,
      looks: { taken: 287, expected: 288 },
      rearmed: [],
    },
    steps: days.slice(0, 6).map(({ day, action, state }) => ({
      step: `day-${day}`,
      phase: action,
      startedAt: at(day, 3),
      endedAt: at(day, 4),
      budgetMs: null,
      activities: 1,
      attempts: 1,
      outcome: state === 'passed' ? 'passed' : 'failed',
    })),
    rto: { ms: 6_240_000, budgetMs: 5_400_000, waitingMs: 0, over: [] },
    rpo: [],
    warnings: ['abandoned by ada: the drill stays too slow'],
  });
}

type Step = Receipt['steps'][number];

export async function showReceipts(
  page: Page,
  receipts: readonly [string, Receipt, string][],
  look: Look,
): Promise<void> {
  for (const [name, receipt, sha256] of receipts) {
    await page.setContent(receiptPage(receipt, sha256));
    await look(name, true);
  }
}

const widths = { desktop: 1400, phone: 390 } as const;

/** What is looked at in the middle of a night: an incident that failed, and a gate that stands, on a desk, a phone and paper. */
export async function showNights(page: Page, look: Look): Promise<void> {
  const pages = {
    incident: incidentPage(hostLoss, digest),
    recovered: incidentPage(recovered, digest),
    gate: receiptPage(gateReceipt(), digest),
  };
  for (const [name, html] of Object.entries(pages)) {
    await page.setContent(html);
    for (const [size, width] of Object.entries(widths)) {
      await page.setViewportSize({ width, height: 1000 });
      await look(`${name}-${size}`, true);
    }
    await page.setViewportSize({ width: 794, height: 1123 });
    await page.emulateMedia({ media: 'print' });
    await look(`${name}-print`, true);
    await page.emulateMedia({ media: null });
  }
}

const digest = '0'.repeat(64);

export function storedReceipt(rig: Rig, lane: string, id: string): [Receipt, string] {
  const bytes = readFileSync(join(rig.storePath, lane, 'receipts', `${id}.json`));
  const { receipt, sha256 } = openReceipt(bytes, {
    publicKeysPem: [readFileSync(join(rig.dir, 'keys/receipt.public.pem'), 'utf8')],
  });
  return [receipt, sha256];
}
