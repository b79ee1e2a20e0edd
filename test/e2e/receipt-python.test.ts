// docs/receipt-format.md is followed to the letter: a receipt is checked with securesystemslib from PyPI and no code of ours.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signers } from '../golden/keys.ts';
import { blocksOf, project, runBlock } from '../unit/docs/pages.ts';
import { encode, receiptOf } from '../unit/receipt/receipts.ts';

const noLibraries = 'no Python, or PyPI does not answer';
const page = 'docs/receipt-format.md';
const run = promisify(execFile);
const dir = mkdtempSync(join(tmpdir(), 'clawback-receipt-python-'));
const publicKey = join(project, 'test/golden/keys/TEST-ONLY-manifest.pub.pem');

/** Installed once for each set of commands: PyPI is not asked again. */
async function installLibraries(): Promise<boolean> {
  const commands = runBlock('docs/receipt-format.md', 'libraries');
  const digest = createHash('sha256').update(commands).digest('hex').slice(0, 16);
  const cache = join(project, 'node_modules/.cache/clawback', `receipt-python-${digest}`);
  if (!existsSync(join(cache, 'ready'))) {
    mkdirSync(cache, { recursive: true });
    try {
      await run('/bin/sh', ['-euc', commands], { cwd: cache });
    } catch {
      return false;
    }
    writeFileSync(join(cache, 'ready'), '');
  }
  symlinkSync(join(cache, 'venv'), join(dir, 'venv'));
  return true;
}

async function verify(receipt: Buffer): Promise<string> {
  const path = join(dir, 'receipt.json');
  writeFileSync(path, receipt);
  const env = { ...process.env, RECEIPT: path, RECEIPT_PUBLIC_KEY: publicKey };
  const { stdout } = await run('/bin/sh', ['-euc', runBlock('docs/receipt-format.md', 'verify')], { cwd: dir, env });
  return stdout;
}

describe('a receipt, checked with securesystemslib', () => {
  let ready = false;
  beforeAll(async () => {
    const [program] = blocksOf(page).filter(({ language }) => language === 'python');
    writeFileSync(join(dir, 'verify_receipt.py'), program?.text ?? '');
    ready = await installLibraries();
  }, 300_000);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('is good, and says the same as it does to us', async (context) => {
    if (!ready) context.skip(noLibraries);
    expect(JSON.parse(await verify(encode(receiptOf())))).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      predicate: receiptOf(),
    });
  });

  it('is refused when another key signed it, and when its payload was changed', async (context) => {
    if (!ready) context.skip(noLibraries);
    const foreign = encode(receiptOf(), signers.intruder.privateKeyPem);
    await expect(verify(foreign)).rejects.toThrow('VerificationError');
    const envelope = JSON.parse(encode(receiptOf()).toString()) as { payload: string };
    const text = Buffer.from(envelope.payload, 'base64').toString().replace('"passed"', '"failed"');
    const changed = { ...envelope, payload: Buffer.from(text).toString('base64') };
    await expect(verify(Buffer.from(JSON.stringify(changed)))).rejects.toThrow('VerificationError');
  });
});
