// Approvals by SSH signature: what counts, and what only looks like it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approvalNamespace, type ApprovalStatement, approvalText } from '../../../src/domain/incident.ts';
import { isSignedBySsh, signBySsh } from '../../../src/signing/ssh-signature.ts';

const folder = mkdtempSync(join(tmpdir(), 'clawback-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Key {
  readonly file: string;
  readonly publicKey: string;
}

function makeKey(name: string, type: string): Key {
  const file = join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'somebody at home', '-f', file]);
  return { file, publicKey: readFileSync(`${file}.pub`, 'utf8').trim() };
}

const statement: ApprovalStatement = {
  workflowId: 'incident/demo/cross-write/mac-1',
  runId: '019aac4e-0000-7000-8000-000000000000',
  digest: 'a'.repeat(64),
  by: 'ada',
  expires: '2026-11-23T04:00:00Z',
  waiveFence: false,
};
const namespace = approvalNamespace;
const text = approvalText(statement);

describe.each(['ed25519', 'ecdsa'])('a signature of an %s key', (type) => {
  let key: Key;
  let stranger: Key;
  let signature: string;
  beforeAll(async () => {
    key = makeKey(type, type);
    stranger = makeKey(`${type}-stranger`, type);
    signature = await signBySsh({ text, namespace }, key.file);
  });

  it('counts for its text, namespace and key', async () => {
    expect(await isSignedBySsh({ text, namespace }, signature, { name: 'ada', publicKey: key.publicKey })).toBe(true);
  });

  it.each([
    ['another plan', { digest: 'b'.repeat(64) }],
    ['another run', { runId: '019aac4e-0000-7000-8000-000000000001' }],
    ['another incident', { workflowId: 'incident/demo/cross-write/mac-2' }],
    ['a later expiry', { expires: '2027-11-23T04:00:00Z' }],
    ['a waived fence', { waiveFence: true }],
    ["somebody else's name", { by: 'bob' }],
  ])('does not count for %s', async (_, change) => {
    const other = { text: approvalText({ ...statement, ...change }), namespace };
    expect(await isSignedBySsh(other, signature, { name: 'ada', publicKey: key.publicKey })).toBe(false);
  });

  it('does not count for another namespace, nor for the key of somebody else', async () => {
    const ada = { name: 'ada', publicKey: key.publicKey };
    expect(await isSignedBySsh({ text, namespace: 'git' }, signature, ada)).toBe(false);
    const forGit = await signBySsh({ text, namespace: 'git' }, key.file);
    expect(await isSignedBySsh({ text, namespace }, forGit, ada)).toBe(false);
    expect(await isSignedBySsh({ text, namespace }, signature, { ...ada, publicKey: stranger.publicKey })).toBe(false);
  });
});

it('a key that is not there cannot sign', async () => {
  await expect(signBySsh({ text, namespace }, join(folder, 'absent'))).rejects.toMatchObject({
    code: 'ApprovalRefused',
  });
});
