// SSH signatures (OpenSSH's PROTOCOL.sshsig) as `ssh-keygen -Y` makes and checks them: the cryptography is OpenSSH's own.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';

export interface SignedText {
  readonly text: string;
  readonly namespace: string;
}

/**
 * Signs a text; a key with a passphrase is asked for it on the terminal, or lies in the agent.
 * @param keyFile the private key, or the public one of a key that the agent holds
 * @returns armoured, `-----BEGIN SSH SIGNATURE-----…`
 * @throws Failure ToolMissing; ApprovalRefused when ssh-keygen refuses the key
 */
export async function signBySsh({ text, namespace }: SignedText, keyFile: string): Promise<string> {
  const { status, stdout } = await keygen(['-Y', 'sign', '-q', '-n', namespace, '-f', keyFile], text, 'inherit');
  if (status === 0) return stdout;
  throw new Failure('ApprovalRefused', `ssh-keygen cannot sign with ${keyFile}: it ended with status ${status}`);
}

/**
 * Did the key make this signature over this text, in this namespace?
 * @param signer as whom, and his public key; nobody else's counts
 * @throws Failure ToolMissing
 */
export async function isSignedBySsh(
  { text, namespace }: SignedText,
  signature: string,
  signer: { readonly name: string; readonly publicKey: string },
): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'clawback-approval-'));
  try {
    const [allowed, armoured] = [join(folder, 'allowed_signers'), join(folder, 'signature')];
    const [type, blob] = signer.publicKey.split(' ');
    await writeFile(allowed, `${signer.name} namespaces="${namespace}" ${type} ${blob}\n`);
    await writeFile(armoured, signature);
    const argv = ['-Y', 'verify', '-q', '-n', namespace, '-I', signer.name, '-f', allowed, '-s', armoured];
    return (await keygen(argv, text, 'ignore')).status === 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Run without a shell; its words about keys go to the operator's terminal alone. */
function keygen(
  argv: readonly string[],
  input: string,
  stderr: 'inherit' | 'ignore',
): Promise<{ readonly status: number; readonly stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('ssh-keygen', argv, { stdio: ['pipe', 'pipe', stderr] });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', () =>
      reject(new Failure('ToolMissing', 'there is no ssh-keygen on this machine', { tool: 'ssh-keygen' })),
    );
    child.on('close', (status) => resolve({ status: status ?? 1, stdout: Buffer.concat(chunks).toString('utf8') }));
    child.stdin?.on('error', () => undefined).end(input);
  });
}
