// The key that opens bundles offline: a file (the vault's, or the recovery key from its safe place), or what the fleet
// file refers to. An encrypted one asks for its passphrase on the terminal, or takes it from a file.

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { OpeningKey } from '../bundle/recipient.ts';
import type { FleetFile } from '../config/fleet-file.ts';
import { resolveOpeningKey } from '../config/fleet-secrets.ts';
import { Failure } from '../domain/failure.ts';
import type { Cli } from './cli.ts';
import { parsePath } from './parse.ts';
import { readPassphraseFile, readSmallFile } from './passphrase.ts';

export interface KeyOptions {
  readonly key?: string;
  readonly passphraseFile?: string;
}

/** The options that say it, of every command that opens a bundle. */
export function withKeyOptions(command: Command): Command {
  return command
    .option(
      '--key <FILE>',
      "private key that opens it, PEM: the vault's or the recovery key (default: keys.opening of the fleet file)",
      parsePath('--key'),
    )
    .option(
      '--passphrase-file <FILE>',
      'the passphrase of an encrypted --key (default: it is asked for)',
      parsePath('--passphrase-file'),
    );
}

/** @throws Failure InvalidInput, SecretUnavailable */
export async function openingKey(cli: Cli, file: FleetFile, { key, passphraseFile }: KeyOptions): Promise<OpeningKey> {
  if (key === undefined) return resolveOpeningKey(file);
  const pem = (await readSmallFile(resolve(cli.around.cwd, key), '--key')).toString('utf8');
  const passphrase = isEncrypted(pem) ? await passphraseFor(cli, key, passphraseFile) : undefined;
  const privateKey = parseKey(key, pem, passphrase);
  return { name: key, privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

function isEncrypted(pem: string): boolean {
  return pem.includes('BEGIN ENCRYPTED PRIVATE KEY') || pem.includes('Proc-Type: 4,ENCRYPTED');
}

function parseKey(path: string, pem: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) });
  } catch {
    // no cause: what OpenSSL says may quote the key
    const why = passphrase === undefined ? 'is no private key in PEM form' : 'does not open with this passphrase';
    throw new Failure('InvalidInput', `--key ${path} ${why}`, { field: '--key' });
  }
}

async function passphraseFor(cli: Cli, key: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return readPassphraseFile(resolve(cli.around.cwd, file), '--passphrase-file');
  if (cli.canAsk) return askHidden(cli, `Passphrase of ${key}: `);
  throw new Failure('InvalidInput', `--key ${key} is encrypted: give its passphrase with --passphrase-file`, {
    field: '--passphrase-file',
  });
}

/** What is typed is not shown. */
async function askHidden(cli: Cli, question: string): Promise<string> {
  const { stdin, stderr, interrupts } = cli.around;
  stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const readline = createInterface({ input: stdin, output: nowhere, terminal: true });
  readline.once('SIGINT', () => interrupts.interrupt());
  try {
    return await readline.question('', { signal: interrupts.signal });
  } catch {
    throw new Failure('Cancelled', 'no passphrase was given');
  } finally {
    readline.close();
    stderr.write('\n');
  }
}
