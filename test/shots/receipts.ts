// The pages of receipts, as an operator opens them: of the restore that the story told, and of one that failed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { receiptPage } from '../../src/receipt/page.ts';
import { openReceipt, type Receipt } from '../../src/receipt/receipt.ts';
import type { Rig } from '../rig/rig.ts';
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

export function storedReceipt(rig: Rig, lane: string, id: string): [Receipt, string] {
  const bytes = readFileSync(join(rig.storePath, lane, 'receipts', `${id}.json`));
  const { receipt, sha256 } = openReceipt(bytes, {
    publicKeysPem: [readFileSync(join(rig.dir, 'keys/receipt.public.pem'), 'utf8')],
  });
  return [receipt, sha256];
}
