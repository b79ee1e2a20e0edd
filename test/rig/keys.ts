// The keys of a rig: those of the test run (test/setup/keys.ts) where there are some, else new ones.

import { cp } from 'node:fs/promises';
import { generateKeys } from '../../src/config/generate-keys.ts';

/** @param dir is made; must not be there */
export async function placeKeys(dir: string): Promise<void> {
  const made = process.env['CLAWBACK_TEST_KEYS'];
  if (made === undefined) await generateKeys(dir);
  else await cp(made, dir, { recursive: true, errorOnExist: true, force: false });
}
