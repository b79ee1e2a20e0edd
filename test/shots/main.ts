// `npm run shots [-- --out DIR]`: screenshots of the Temporal UI, as an operator sees Clawback in it, and of receipts' pages. The default is
// a folder that git ignores: the pictures say how a build looks now, and a test holds what they must show.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bestBedKind } from '../bed/bed.ts';
import { Rig } from '../rig/rig.ts';
import { findChromium, openBrowser } from './browser.ts';
import { failedReceipt, showNights, showReceipts, storedReceipt } from './receipts.ts';
import { tellStory } from './story.ts';
import { TemporalUi } from './temporal-ui.ts';

const { values } = parseArgs({
  options: { out: { type: 'string', default: resolve(import.meta.dirname, '../../.cache/shots') } },
});
/** Long enough under way to be seen. */
const dataBytes = 300e6;

async function takeShots(program: string, out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  const dir = await mkdtemp(join(tmpdir(), 'clawback-shots-'));
  const kind = bestBedKind() === 'in-process' ? 'in-process' : 'sshd';
  try {
    const rig = await Rig.start({ kind, dir, hosts: [{ name: 'mac-1', lanes: 1 }], dataBytes, headless: false });
    try {
      await rig.startWorker();
      const browser = await openBrowser(program);
      try {
        let number = 0;
        const look = async (name: string, fullPage = false): Promise<void> => {
          number += 1;
          const path = join(out, `${String(number).padStart(2, '0')}-${name}.png`);
          await browser.page.screenshot({ path, fullPage });
          process.stdout.write(`${path}\n`);
        };
        const { restore } = await tellStory(rig, new TemporalUi(browser.page, rig.server.uiUrl ?? ''), look);
        const passed = storedReceipt(rig, restore.lane, restore.receipt ?? '');
        await showReceipts(
          browser.page,
          [
            ['receipt-passed', ...passed],
            ['receipt-failed', failedReceipt(), '0'.repeat(64)],
          ],
          look,
        );
        await showNights(browser.page, look);
      } finally {
        await browser.close();
      }
    } finally {
      await rig.stop();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const program = await findChromium();
if (program === undefined) {
  process.stderr.write('there is no Chromium on this machine: install one, or name it in CLAWBACK_CHROMIUM\n');
  process.exitCode = 1;
} else {
  await takeShots(program, resolve(values.out));
}
