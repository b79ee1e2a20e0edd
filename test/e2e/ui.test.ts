// Backups and restores are started from the Temporal UI's own form, in a real Chromium, with one JSON object.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bestBedKind } from '../bed/bed.ts';
import { Rig } from '../rig/rig.ts';
import { findChromium, openBrowser, type Browser } from '../shots/browser.ts';
import { tellStory, type Told } from '../shots/story.ts';
import { TemporalUi } from '../shots/temporal-ui.ts';

const program = await findChromium();

describe.skipIf(program === undefined)('in the Temporal UI (by an installed Chromium)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-ui-'));
  let rig: Rig;
  let browser: Browser;
  let told: Told;

  beforeAll(async () => {
    const kind = bestBedKind() === 'in-process' ? 'in-process' : 'sshd';
    rig = await Rig.start({ kind, dir, hosts: [{ name: 'mac-1', lanes: 1 }], dataBytes: 60e6, headless: false });
    await rig.startWorker();
    browser = await openBrowser(program ?? '');
    told = await tellStory(rig, new TemporalUi(browser.page, rig.server.uiUrl ?? ''), async () => undefined);
  });

  afterAll(async () => {
    await browser?.close();
    await rig?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('a backup starts from the form, and its page shows the bundle', () => {
    expect(told.backup.sizeBytes).toBeGreaterThan(50e6);
    expect(told.pages['backup-done']).toContain(told.backup.bundle);
    expect(told.pages['backup-done-details']).toContain(`backed up lane-1, tier B: bundle ${told.backup.bundle}`);
  });

  it('a running section says how far it is, and each segment which one it is', () => {
    expect(told.pages['backup-running']).toContain('back up lane-1, tier B');
    expect(told.pages['backup-running']).toMatch(/segments \d+ of \d+, [\d.]+ [kM]B of|backed up lane-1/);
    expect(told.pages['backup-timeline']).toMatch(/s-\d{4} (transcripts|workspace), [\d.]+ MB/);
  });

  it('a restore starts from the form, and its page says that the message was answered, and when', () => {
    expect(told.restore.messageAnswered).toBe(true);
    expect(told.pages['restore-done-details']).toMatch(/the test message was answered after .+ \(RTO 1 h 30 m\)/);
  });

  it('a wrong object fails at once, and the page names every wrong field', () => {
    const page = told.pages['failed-input'] ?? '';
    expect(told.refusedInMs).toBeLessThan(5_000);
    for (const words of ['InvalidInput', 'teir', 'at lane', 'at tier', 'HINT: correct the named field']) {
      expect(page).toContain(words);
    }
  });

  it('workflows and sections of a lane are found by their search attributes', () => {
    expect(told.pages['search-attributes']).toContain('ClawbackVerdict');
    const list = told.pages['list-of-a-lane'] ?? '';
    for (const id of ['backupLane-from-the-ui', 'restoreLane-from-the-ui', 'lane/bed/lane-1'])
      expect(list).toContain(id);
    expect(list).not.toContain('mistyped');
  });
});
