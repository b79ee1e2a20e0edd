// A real Chromium, without a window and without a profile of its own: what it starts and writes ends with it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { findOnPath, isExecutable } from '../../src/embedded/tools-cache.ts';

export interface Browser {
  readonly page: Page;
  close(): Promise<void>;
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const onMac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
/** It talks to the loopback only: nothing of its own goes out. */
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** `CLAWBACK_CHROMIUM`, or a Chromium of this machine; undefined when it has none. */
export async function findChromium(): Promise<string | undefined> {
  const named = process.env['CLAWBACK_CHROMIUM'];
  if (named) return named;
  for (const name of names) {
    const path = await findOnPath(name);
    if (path !== undefined) return path;
  }
  return (await isExecutable(onMac)) ? onMac : undefined;
}

/** @param program from {@link findChromium} */
export async function openBrowser(program: string): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'clawback-chromium-'));
  const remove = (): Promise<void> => rm(profile, { recursive: true, force: true, maxRetries: 5 });
  try {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: program,
      headless: true,
      args: quiet,
      viewport: { width: 1400, height: 1000 },
      timezoneId: 'UTC',
    });
    return {
      page: context.pages()[0] ?? (await context.newPage()),
      close: async () => {
        await context.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
