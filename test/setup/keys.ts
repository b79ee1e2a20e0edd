// Global setup of the tests that start rigs: one set of keys for the whole run, since an RSA-4096 pair costs seconds of a
// core. Rigs copy it; tests that need a stranger's keys make their own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeys } from '../../src/config/generate-keys.ts';

export default async function setup(): Promise<() => void> {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-keys-'));
  await generateKeys(join(dir, 'keys'));
  process.env['CLAWBACK_TEST_KEYS'] = join(dir, 'keys');
  return () => rmSync(dir, { recursive: true, force: true });
}
