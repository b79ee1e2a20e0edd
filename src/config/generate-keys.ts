// Makes every key that a fleet needs, once, in one folder: files of mode 0600 in a folder of mode 0700. It never
// overwrites: when one of the files is there, nothing is written.

import { generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { access, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Failure } from '../domain/failure.ts';
import { encodeOpenSshKey } from './openssh-key.ts';

/** Names of the files, as {@link sampleFleet} refers to them. */
export const keyFiles = {
  fingerprint: 'fingerprint.hex',
  manifestPrivate: 'manifest.key.pem',
  manifestPublic: 'manifest.public.pem',
  receiptPrivate: 'receipt.key.pem',
  receiptPublic: 'receipt.public.pem',
  vaultPrivate: 'vault.key.pem',
  vaultPublic: 'vault.public.pem',
  recoveryPrivate: 'recovery.key.pem',
  recoveryPublic: 'recovery.public.pem',
  sshPrivate: 'ssh.key',
  sshPublic: 'ssh.pub',
} as const;

type KeyFile = keyof typeof keyFiles;

export interface GeneratedKeys<K extends KeyFile = KeyFile> {
  /** Paths of the files. */
  readonly files: Readonly<Record<K, string>>;
  /** What the operator has to do now, a line each. */
  readonly instructions: readonly string[];
}

export interface GenerateKeysOptions {
  /** Encrypts the recovery key (PKCS #8, AES-256); without it the file itself must be locked away. */
  readonly recoveryPassphrase?: string;
}

const generate = promisify(generateKeyPair);

/**
 * @param dir made when it is not there
 * @throws Failure InvalidInput: a file of that name is there (named), the folder cannot be written, an empty passphrase
 */
export async function generateKeys(dir: string, options: GenerateKeysOptions = {}): Promise<GeneratedKeys> {
  if (options.recoveryPassphrase === '')
    throw new Failure('InvalidInput', 'the passphrase of the recovery key is empty', { field: 'recoveryPassphrase' });
  const files = await writeKeys(dir, Object.keys(keyFiles) as KeyFile[], () => makeKeys(options.recoveryPassphrase));
  return { files, instructions: instructionsOf(files, options.recoveryPassphrase !== undefined) };
}

/**
 * The receipt key alone, for a fleet whose other keys are there.
 * @throws Failure InvalidInput, as {@link generateKeys}
 */
export async function generateReceiptKey(dir: string): Promise<GeneratedKeys<'receiptPrivate' | 'receiptPublic'>> {
  const files = await writeKeys(dir, ['receiptPrivate', 'receiptPublic'], async () =>
    pairOf('receipt', await generate('ed25519')),
  );
  return {
    files,
    instructions: [
      `Name both under \`keys.receipt\` in fleet.yaml: \`receipt: { private: { file: ${files.receiptPrivate} }, public: ${files.receiptPublic} }\`.`,
      receiptInstruction(files),
    ],
  };
}

async function writeKeys<K extends KeyFile>(
  dir: string,
  names: readonly K[],
  make: () => Promise<Readonly<Record<K, string>>>,
): Promise<Record<K, string>> {
  const files = Object.fromEntries(names.map((name) => [name, join(dir, keyFiles[name])])) as Record<K, string>;
  await refuseExisting(Object.values(files));
  const contents = await make();
  await translated(dir, () => mkdir(dir, { recursive: true, mode: 0o700 }));
  for (const name of names) await translated(files[name], () => writeNew(files[name], contents[name]));
  return files;
}

async function refuseExisting(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists)
      throw new Failure('InvalidInput', `${path} is there already; keys are never overwritten`, { field: 'dir' });
  }
}

async function makeKeys(recoveryPassphrase: string | undefined): Promise<Record<KeyFile, string>> {
  // RSA-4096 takes seconds: both in Node's thread pool at once.
  const [vault, recovery, manifest, receipt, ssh] = await Promise.all([
    generate('rsa', { modulusLength: 4096 }),
    generate('rsa', { modulusLength: 4096 }),
    generate('ed25519'),
    generate('ed25519'),
    generate('ed25519'),
  ]);
  const sshKey = encodeOpenSshKey(ssh.privateKey, 'clawback');
  return {
    fingerprint: `${randomBytes(32).toString('hex')}\n`,
    ...pairOf('manifest', manifest),
    ...pairOf('receipt', receipt),
    ...pairOf('vault', vault),
    recoveryPrivate: privatePem(recovery.privateKey, recoveryPassphrase),
    recoveryPublic: publicPem(recovery.publicKey),
    sshPrivate: sshKey.privateKey,
    sshPublic: sshKey.publicKey,
  };
}

function pairOf<N extends 'manifest' | 'receipt' | 'vault'>(
  name: N,
  { privateKey, publicKey }: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
): Record<`${N}Private` | `${N}Public`, string> {
  return { [`${name}Private`]: privatePem(privateKey), [`${name}Public`]: publicPem(publicKey) } as Record<
    `${N}Private` | `${N}Public`,
    string
  >;
}

function publicPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function privatePem(key: KeyObject, passphrase?: string): string {
  const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  return key.export({ type: 'pkcs8', format: 'pem', ...encryption }).toString();
}

async function writeNew(path: string, content: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(content);
  await file.sync();
}

async function translated<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw new Failure(
      'InvalidInput',
      `${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      { field: 'dir' },
    );
  }
}

function instructionsOf(files: Readonly<Record<KeyFile, string>>, isEncrypted: boolean): string[] {
  return [
    `Move ${files.recoveryPrivate} offline now (two USB sticks, or paper, in two places), try to read it there, then delete it here: it opens every bundle on the day the vault is lost.`,
    isEncrypted
      ? 'Keep its passphrase apart from it, where you will find it without this machine.'
      : 'It is not encrypted: whoever holds it reads every bundle. Lock it away, or make the keys anew with a passphrase.',
    `Give ${files.vaultPrivate} to vault workers only; backups need just the public half.`,
    receiptInstruction(files),
    `Append ${files.sshPublic} to ~/.ssh/authorized_keys of the account on each host that \`hosts.NAME.user\` names.`,
    `Keep copies of ${files.fingerprint} and ${files.manifestPrivate} with your other secrets: without the first the next backup sends everything again, without the second no new bundle can be signed.`,
  ];
}

function receiptInstruction({
  receiptPrivate,
  receiptPublic,
}: GeneratedKeys<'receiptPrivate' | 'receiptPublic'>['files']): string {
  return `Give ${receiptPrivate} to vault workers only: it signs what restores did. ${receiptPublic} is for everybody who wants to check that.`;
}
