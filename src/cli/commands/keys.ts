// `keys generate`: all keys of a fleet, once, into one folder; what is there is never overwritten.

import { Command, Option } from 'commander';
import { generateKeys, generateReceiptKey } from '../../config/generate-keys.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { parsePath } from '../parse.ts';
import { readPassphraseFile } from '../passphrase.ts';
import { resolve } from 'node:path';

export function keysCommand(cli: Cli): Command {
  return new Command('keys').usage('COMMAND').description('keys of a fleet').addCommand(generateCommand(cli));
}

interface Options {
  readonly out: string;
  readonly recoveryPassphraseFile?: string;
  readonly only?: 'receipt';
}

function generateCommand(cli: Cli): Command {
  const command = new Command('generate')
    .description('make all keys that a fleet needs; a file that is there is never overwritten')
    .requiredOption('--out <DIR>', 'folder for the keys; made when it is not there', parsePath('--out'))
    .option(
      '--recovery-passphrase-file <FILE>',
      'encrypt the offline recovery key with the passphrase in this file',
      parsePath('--recovery-passphrase-file'),
    )
    .addOption(
      new Option('--only <KEY>', 'make the receipt key alone, for a fleet that has the others')
        .choices(['receipt'])
        .conflicts('recoveryPassphraseFile'),
    )
    .action(cli.action((options: Options) => generate(cli, options)));
  return documented(command, {
    examples: [
      './clawback keys generate --out keys',
      './clawback keys generate --out keys --recovery-passphrase-file /dev/shm/passphrase',
      './clawback keys generate --out keys --only receipt',
    ],
    json: [
      '`files`: the path of each key, by its purpose',
      '`instructions`: what the operator has to do now, one text each',
    ],
  });
}

async function generate(cli: Cli, { out, recoveryPassphraseFile, only }: Options): Promise<Outcome> {
  const dir = resolve(cli.around.cwd, out);
  if (only === 'receipt') return written(await generateReceiptKey(dir));
  const passphrase =
    recoveryPassphraseFile === undefined
      ? undefined
      : await readPassphraseFile(resolve(cli.around.cwd, recoveryPassphraseFile), '--recovery-passphrase-file');
  cli.note('making two RSA-4096 keys takes some seconds …');
  return written(await generateKeys(dir, passphrase === undefined ? {} : { recoveryPassphrase: passphrase }));
}

function written({
  files,
  instructions,
}: {
  readonly files: Readonly<Record<string, string>>;
  readonly instructions: readonly string[];
}): Outcome {
  const paths = Object.values(files).map((path) => `  ${path}`);
  const todo = instructions.map((line, at) => `${at + 1}. ${line}`);
  return { json: { files, instructions }, text: ['Written:', ...paths, '', 'Now:', ...todo].join('\n') };
}
