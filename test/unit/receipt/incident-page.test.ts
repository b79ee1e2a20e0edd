// The page and the checklist of an incident: everything that its receipt says is there, and nothing is markup of others.

import { describe, expect, it } from 'vitest';
import { incidentChecklist } from '../../../src/receipt/incident-checklist.ts';
import { incidentPage } from '../../../src/receipt/incident-page.ts';
import type { IncidentReceipt } from '../../../src/receipt/incident-receipt.ts';
import { hostLoss, recovered } from './incidents.ts';

const sha256 = 'e'.repeat(64);

describe('the page of an incident', () => {
  it('says verdict, times, lanes, hosts, approvals and what is still to do', () => {
    const page = incidentPage(hostLoss, sha256);
    for (const text of [
      '<header class="failed">',
      'THE RTO WAS MISSED.',
      'Host loss, mac-1',
      'mac-1 -&gt; mac-1-new',
      'failed (MessageUnanswered)',
      'a'.repeat(64),
      '2026.11.1',
      'plan approved by ada at 2026-11-23 03:20:00 UTC, by SSH signature',
      'by hand, provision',
      'SSH host key SHA256:AAAA',
      '1 tried again',
      'order a 7-day rent and go through its gate',
      '<code>./clawback status agent-2</code>',
      'off Temporal',
      sha256,
    ])
      expect(page).toContain(text);
  });

  it('is green only for what was recovered in time', () => {
    expect(incidentPage(recovered, sha256)).toContain('<header class="passed">');
    const late = { ...recovered, rto: { ...recovered.rto, over: true } };
    expect(incidentPage(late, sha256)).toContain('<header class="late">');
    const closed: IncidentReceipt = { ...recovered, outcome: 'closed', lanes: [], plan: null };
    expect(incidentPage(closed, sha256)).toContain('No plan was made.');
  });

  it('holds no markup of others, loads nothing and runs nothing', () => {
    const evil = { ...hostLoss, escalation: '<script>alert(1)</script>', warnings: ['<img src=http://x>'] };
    const page = incidentPage(evil, sha256);
    expect(page).not.toMatch(/<script|<img/);
    expect(page).toContain('&lt;script&gt;');
  });
});

describe('the checklist of an incident', () => {
  it('has a full box for what was done, and an empty one for what is to do', () => {
    const text = incidentChecklist(hostLoss, sha256);
    expect(text).toContain('# First-hour checklist: Host loss, mac-1');
    expect(text).toMatch(/- \[x\] 03:20:00 to 04:00:00 UTC: a new Mac in the stead of mac-1: 40 m/);
    expect(text).toMatch(/- \[ \] .*restoring agent-1, agent-2 on mac-1-new: FAILED, 42 m, 1 tried again/);
    expect(text).toContain('- [ ] lane agent-2 (mac-1 -\\> mac-1-new): failed (MessageUnanswered)');
    expect(text).toContain(`bundle 20261122T040000Z-0123abcd, tier B; manifest SHA-256 ${'b'.repeat(64)}`);
    expect(text).toContain('- [ ] Lane agent-2 is not back');
  });
});
