import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checklistText } from '../../../src/receipt/checklist.ts';
import { receiptPage } from '../../../src/receipt/page.ts';
import { openItems, proofText, stepSummaries } from '../../../src/receipt/words.ts';
import { bundleOf, failed, receiptOf } from './receipts.ts';

const sha256 = 'ab'.repeat(32);
const passed = receiptOf();
const broken = receiptOf({
  ...failed,
  failure: 'KeychainLocked',
  steps: [
    ...passed.steps.slice(0, 4),
    { ...passed.steps[4], outcome: 'failed' } as (typeof passed.steps)[number],
    { ...passed.steps[5], step: 'settle', phase: 'putting the lane right' } as (typeof passed.steps)[number],
  ],
});

describe('the steps of a receipt', () => {
  it('are those of the procedure, over all their phases, and those that came beside', () => {
    const summaries = stepSummaries(broken);
    expect(summaries.map(({ step, outcome }) => `${step}: ${outcome}`)).toEqual([
      'check: passed',
      'stop: passed',
      'tree: passed',
      'secrets: failed',
      'smoke: not reached',
      'commit: not reached',
      'settle: passed',
    ]);
    expect(summaries[2]).toMatchObject({ ms: 829_000, budgetMs: 2_400_000, retries: 3 });
  });

  it('of a sandbox are fewer: it stops and starts nothing', () => {
    const sandbox = receiptOf({ restore: { into: 'sandbox', only: null, layered: false }, steps: [] });
    expect(stepSummaries(sandbox).map(({ step }) => step)).toEqual(['check', 'tree', 'secrets']);
  });
});

describe('the first-hour checklist', () => {
  it('is filled in with steps, times, evidence and open items', () => {
    const text = checklistText(passed, sha256);
    expect(text).toContain('# First-hour checklist: lane lane-1 on mac-1');
    expect(text).toContain(
      '**PASSED**: live restore. The lane is as the bundle has it, and it answered a test message',
    );
    expect(text).toContain('- [x] 1 Stop writers: 21 s of 5 m; launchd has the job disabled');
    expect(text).toContain('- [x] 2 Restore the tree: 13 m 49 s of 40 m, 3 tried again; config, plists');
    expect(text).toContain('  - 04:00:20 to 04:14:00 UTC: fetching and staging (13 m 40 s)');
    expect(text).toContain('- class 1: as of 2026-11-22 03:15:01 UTC, 45 m 1 s before the restore');
    expect(text).toContain(`SHA-256 ${sha256}; it proves 20261122T031500Z-0123abcd`);
    expect(text).toContain('- [ ] Back it up as it is now: `./clawback backup lane-1 --tier B`.');
  });

  it('of a failed restore leaves boxes empty, and begins with what to do', () => {
    const text = checklistText(broken, sha256);
    expect(text).toContain(
      '**FAILED**: live restore. KeychainLocked: the keychain is locked. The lane is as it was before',
    );
    expect(text).toContain('- [ ] 3 Rehydrate secrets: FAILED, 30 s of 20 m');
    expect(text).toContain('- [ ] 4 Smoke test: not reached');
    expect(text).toContain('- class 1: would have been as of 2026-11-22');
    expect(text).toContain('- [ ] KeychainLocked: give `keychain.password`');
    expect(openItems(broken)[0]).toMatch(/^KeychainLocked/);
    expect(openItems(receiptOf({ ...failed, laneAfter: 'unsettled' }))[0]).toContain('./clawback status lane-1');
  });

  it('keeps the text of others from making lines, headings or links of its own', () => {
    const text = checklistText(receiptOf({ warnings: ['odd\n# heading [a](b) <b>'] }), sha256);
    expect(text).toContain('- [ ] Odd \\# heading \\[a\\](b) \\<b\\>');
  });
});

describe('what a receipt proves', () => {
  it.each([
    [passed, 'proves 20261122T031500Z-0123abcd'],
    [receiptOf(failed), 'it failed'],
    [receiptOf({ kind: 'undo', laneAfter: 'undone', bundles: [], rpo: [] }), 'an undo'],
    [receiptOf({ restore: { into: 'sandbox', only: null, layered: false } }), 'a sandbox'],
    [receiptOf({ restore: { into: 'live', only: 'config', layered: false } }), 'only a part'],
    [receiptOf({ bundles: [bundleOf({ whole: false })] }), 'only a part'],
  ])('is told with its reason (%#)', (receipt, text) => {
    expect(proofText(receipt)).toContain(text);
  });
});

describe('the page of a receipt', () => {
  it('says the verdict first, and has no script and nothing from elsewhere', () => {
    const page = receiptPage(passed, sha256);
    expect(page).toContain('<p class="verdict">PASSED</p>');
    expect(page).not.toMatch(/<script|<link|<img|<iframe|https?:|url\(|@import/i);
    expect(page).toContain("default-src 'none'");
    expect(page).toContain(sha256);
  });

  it('of a failed restore speaks of no loss, for the lane has what it had', () => {
    const page = receiptPage(broken, sha256);
    expect(page).toContain('<b>Would lose, class 1</b>');
    expect(page).toContain('<b>Ended after</b>');
    expect(page).toContain('give <code>keychain.password</code> in fleet.yaml');
    expect(receiptPage(passed, sha256)).toContain('<b>Lost, class 1</b>');
  });

  it('marks a run over its RTO and a step over its budget', () => {
    const late = receiptPage(
      receiptOf({ rto: { ...passed.rto, ms: 6_000_000, over: ['RTO (budget 90 min)'] } }),
      sha256,
    );
    expect(late).toContain('<header class="late">');
    expect(late).toContain('THE RTO WAS MISSED');
    const slow = passed.steps.map((step) => (step.step === 'smoke' ? { ...step, budgetMs: 60_000 } : step));
    expect(receiptPage(receiptOf({ steps: slow }), sha256)).toContain('<b>OVER</b>');
  });

  it('escapes whatever its texts hold', () => {
    const hostile = fc.string({
      unit: fc.constantFrom('<', '>', '&', '"', "'", 'a', '=', '/', ' '),
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(hostile, (text) => {
        const page = receiptPage(
          receiptOf({
            warnings: [text],
            host: { ...passed.host, name: text },
            workflow: { ...passed.workflow, id: text },
            versions: { ...passed.versions, os: text },
            steps: passed.steps.map((step) => ({ ...step, phase: text })),
          }),
          sha256,
        );
        const plain = receiptPage(receiptOf({ warnings: ['x'] }), sha256);
        const marks = (html: string): number => (html.match(/[<>]/g) ?? []).length;
        const quotes = (html: string): number => (html.match(/"/g) ?? []).length;
        expect([marks(page), quotes(page)]).toEqual([marks(plain), quotes(plain)]);
      }),
    );
  });

  it('is drawn for every outcome, also of a run without a step', () => {
    for (const receipt of [
      broken,
      receiptOf({ ...failed, steps: [], bundles: [], rpo: [], endedAt: passed.startedAt }),
    ])
      expect(receiptPage(receipt, sha256)).toContain('FAILED');
  });
});
