import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GeneratedKeys, generateKeys, generateReceiptKey, keyFiles } from '../../../src/config/generate-keys.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clawback-keys-'));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const read = (path: string): Promise<string> => readFile(path, 'utf8');

async function isPair(
  keys: GeneratedKeys,
  privateFile: 'vaultPrivate' | 'recoveryPrivate' | 'manifestPrivate',
  passphrase?: string,
): Promise<boolean> {
  const publicFile = privateFile.replace('Private', 'Public') as 'vaultPublic';
  const key = createPrivateKey({
    key: await read(keys.files[privateFile]),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  return createPublicKey(key).equals(createPublicKey(await read(keys.files[publicFile])));
}

describe('generated keys', () => {
  it('are pairs of the kinds that the fleet file wants, each different', async () => {
    const keys = await generateKeys(join(dir, 'a/keys'));
    for (const file of ['vaultPrivate', 'recoveryPrivate', 'manifestPrivate'] as const)
      expect(await isPair(keys, file)).toBe(true);
    const vault = createPublicKey(await read(keys.files.vaultPublic));
    expect(vault.asymmetricKeyDetails?.modulusLength).toBe(4096);
    expect(vault.equals(createPublicKey(await read(keys.files.recoveryPublic)))).toBe(false);
    expect(createPublicKey(await read(keys.files.manifestPublic)).asymmetricKeyType).toBe('ed25519');
    expect(await read(keys.files.fingerprint)).toMatch(/^[0-9a-f]{64}\n$/);
  });

  it('can be read by their owner alone', async () => {
    await generateKeys(join(dir, 'keys'));
    expect((await stat(join(dir, 'keys'))).mode & 0o777).toBe(0o700);
    for (const name of Object.values(keyFiles)) expect((await stat(join(dir, 'keys', name))).mode & 0o777).toBe(0o600);
  });

  it('hold an SSH key that ssh2 and, where there is one, ssh-keygen read', async () => {
    const { files } = await generateKeys(dir);
    const parsed = ssh2.utils.parseKey(await read(files.sshPrivate));
    if (parsed instanceof Error) throw parsed;
    const words = (await read(files.sshPublic)).trim().split(' ');
    expect(parsed.type).toBe('ssh-ed25519');
    expect(parsed.getPublicSSH().toString('base64')).toBe(words[1]);
    const data = Buffer.from('signed');
    const publicKey = ssh2.utils.parseKey(await read(files.sshPublic));
    if (publicKey instanceof Error) throw publicKey;
    expect(publicKey.verify(data, parsed.sign(data))).toBe(true);
    expect(execFileSync('ssh-keygen', ['-y', '-f', files.sshPrivate], { encoding: 'utf8' }).trim()).toBe(
      words.join(' '),
    );
  });

  it('encrypt the recovery key alone when a passphrase is given', async () => {
    const keys = await generateKeys(dir, { recoveryPassphrase: 'correct horse' });
    expect(await read(keys.files.recoveryPrivate)).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(await isPair(keys, 'recoveryPrivate', 'correct horse')).toBe(true);
    await expect(isPair(keys, 'recoveryPrivate', 'wrong')).rejects.toThrow(/decrypt/i);
    expect(await isPair(keys, 'vaultPrivate')).toBe(true);
    expect(keys.instructions.join()).not.toContain('correct horse');
    await expect(generateKeys(join(dir, 'b'), { recoveryPassphrase: '' })).rejects.toMatchObject({
      code: 'InvalidInput',
    });
  });

  it('come with instructions that say where the recovery key must go', async () => {
    const { files, instructions } = await generateKeys(dir);
    expect(instructions[0]).toContain(`Move ${files.recoveryPrivate} offline now`);
  });
});

describe('the receipt key alone', () => {
  it('is made beside the keys of a fleet that had none, and never twice', async () => {
    await writeFile(join(dir, keyFiles.manifestPrivate), 'mine');
    const { files, instructions } = await generateReceiptKey(dir);
    const key = createPrivateKey(await read(files.receiptPrivate));
    expect(createPublicKey(key).equals(createPublicKey(await read(files.receiptPublic)))).toBe(true);
    expect((await stat(files.receiptPrivate)).mode & 0o777).toBe(0o600);
    expect(instructions.join()).toContain('keys.receipt');
    await expect(generateReceiptKey(dir)).rejects.toMatchObject({ code: 'InvalidInput' });
    expect((await readdir(dir)).toSorted()).toEqual(['manifest.key.pem', 'receipt.key.pem', 'receipt.public.pem']);
  });
});

describe('existing files', () => {
  it.each(Object.values(keyFiles))('are never overwritten: with %s there, nothing is written', async (name) => {
    await writeFile(join(dir, name), 'mine');
    await expect(generateKeys(dir)).rejects.toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining(join(dir, name)) as string,
    });
    expect(await readdir(dir)).toEqual([name]);
    expect(await read(join(dir, name))).toBe('mine');
  });

  it('that make the folder impossible are named', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(generateKeys(join(dir, 'file'))).rejects.toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('cannot be written') as string,
    });
  });
});
