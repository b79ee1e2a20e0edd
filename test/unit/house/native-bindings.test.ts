// ssh2 falls back to JavaScript cryptography without a word when its native binding was built for another Node.

import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findOnPath } from '../../../src/embedded/tools-cache.ts';

const project = resolve(import.meta.dirname, '../../..');
const require = createRequire(import.meta.url);

/** What node-gyp needs. */
async function hasCompiler(): Promise<boolean> {
  const found = await Promise.all(['cc', 'make', 'python3'].map(findOnPath));
  return found.every((path) => path !== undefined);
}

describe('the native code of ssh2', () => {
  it('is of the pinned Node wherever there is a compiler', async () => {
    const said = execFileSync(process.execPath, [join(project, 'scripts/build-native.mjs')], { encoding: 'utf8' });
    const expected = (await hasCompiler())
      ? `native, for Node ${process.version}`
      : 'JavaScript instead of native code';
    expect(said).toContain(`ssh2: ${expected}`);
    expect(said).toContain(`cpu-features: ${expected}`);
  });

  it('loads, and is what ssh2 itself uses, wherever there is a compiler', async () => {
    const load = (): unknown => require('ssh2/lib/protocol/crypto/build/Release/sshcrypto.node');
    if (await hasCompiler()) expect(load()).toHaveProperty('AESGCMCipher');
    else expect(load).toThrow();
  });
});
