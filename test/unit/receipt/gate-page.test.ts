// The page of a gate's receipt: what it says first, and what a gate has nothing to say of.

import { describe, expect, it } from 'vitest';
import { receiptPage } from '../../../src/receipt/page.ts';
import { gateReceipt } from '../../shots/receipts.ts';

const pageOf = (change: Partial<ReturnType<typeof gateReceipt>> = {}): string =>
  receiptPage({ ...gateReceipt(), ...change }, '0'.repeat(64));

describe("the page of a gate's receipt", () => {
  it('tells its drill, its looks at the disk and its dates, and neither a wait for a lane nor a section', () => {
    const page = pageOf();
    expect(page).toContain('<b>RTO of its drill</b><span>1 h 44 m</span><small>of 1 h 30 m, MISSED</small>');
    expect(page).toMatch(/<b>Looks at the disk<\/b><span>\d+<\/span><small>of \d+<\/small>/);
    expect(page).toContain('2026-11-16 to 2026-11-22');
    expect(page).toContain('nobody signed');
    expect(page).not.toMatch(/Waited before|<th>Section/);
  });

  it('says of a gate without a drill that there was none', () => {
    const { rto } = gateReceipt();
    expect(pageOf({ rto: { ...rto, ms: 0 } })).toContain('<span>none</span><small>not reached</small>');
  });
});
