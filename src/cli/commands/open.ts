// `open BUNDLE`: unpacks a bundle into a fresh directory of this machine. Offline: store, fleet file and a key; no
// Temporal, no lane.

import { mkdir, readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { Failure } from '../../domain/failure.ts';
import type { Component } from '../../domain/terms.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { formatBytes, plural, printable } from '../format.ts';
import { type KeyOptions, openingKey, withKeyOptions } from '../opening-key.ts';
import { OpenedBundle } from '../opened-bundle.ts';
import { parseBundle, parseComponent, parseLane, parsePath } from '../parse.ts';
import { shelfFor, storeHelp } from '../shelves.ts';
import { type Unpacked, unpackBundle } from '../unpack-bundle.ts';

interface Options extends KeyOptions {
  readonly lane: string;
  readonly out: string;
  readonly store?: string;
  readonly only?: Component;
  readonly withSecrets?: true;
}

export function openCommand(cli: Cli): Command {
  const command = new Command('open')
    .description('unpack a bundle into a fresh directory of this machine, without Temporal')
    .argument('<BUNDLE>', "the bundle's id", parseBundle('BUNDLE'))
    .requiredOption('--lane <LANE>', 'the lane it is of', parseLane('--lane'))
    .requiredOption('--out <DIR>', 'a new or empty directory', parsePath('--out'))
    .option('--store <NAME>', storeHelp);
  withKeyOptions(command)
    .option('--only <COMPONENT>', 'one component alone', parseComponent('--only'))
    .option('--with-secrets', 'write the Keychain items too, IN CLEAR, to secrets.json')
    .action(cli.action((bundle: string, options: Options) => open(cli, bundle, options)));
  return documented(command, {
    examples: [
      './clawback open 20261122T031500Z-1a2b3c4d --lane lane-1 --out /tmp/lane-1',
      './clawback open 20261122T031500Z-1a2b3c4d --lane lane-1 --out restored --key recovery.key.pem',
    ],
    json: [
      '`bundle`, `lane`; `directory`: holds `home`, `plists` and `logs`',
      '`components`, `segments`, `members`, `plainBytes`',
      '`secrets`: Keychain items that were written to `secrets.json`; `secretsLeft`: those that were not',
    ],
    notes: [
      'Every byte is checked against the signed manifest on its way. After a failure the directory holds what had come until then.',
    ],
  });
}

async function open(cli: Cli, bundle: string, options: Options): Promise<Outcome> {
  const file = await cli.loadFleet();
  const key = await openingKey(cli, file, options);
  const shelf = await shelfFor(cli, { file, bundle, ...options });
  const opened = await OpenedBundle.open(shelf, bundle, key);
  const directory = resolve(cli.around.cwd, options.out);
  await requireFresh(directory);
  const unpacked = await unpackBundle(opened, {
    directory,
    ...(options.only && { only: options.only }),
    withSecrets: options.withSecrets === true || options.only === 'secrets',
    onSegment: (done, total) => sayEveryTenth(cli, done, total),
    onComplaint: (text) => cli.note(printable(text.trimEnd(), '\n')),
  });
  const items = opened.manifest.components.secrets?.members ?? 0;
  const secretsLeft = options.only === undefined || options.only === 'secrets' ? items - unpacked.secrets : 0;
  return {
    json: { bundle, lane: options.lane, directory, ...unpacked, secretsLeft },
    text: openedText(bundle, directory, unpacked, secretsLeft),
  };
}

async function requireFresh(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if ((await readdir(directory)).length === 0) return;
  } catch (error) {
    throw new Failure(
      'InvalidInput',
      `--out ${directory} cannot be used (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      { field: '--out' },
    );
  }
  throw new Failure('InvalidInput', `--out ${directory} is not empty: name a new directory`, { field: '--out' });
}

function sayEveryTenth(cli: Cli, done: number, total: number): void {
  const step = Math.max(1, Math.floor(total / 10));
  if (done % step === 0) cli.note(`unpacking segment ${done + 1} of ${total}`);
}

function openedText(
  bundle: string,
  directory: string,
  { components, members, plainBytes, secrets }: Unpacked,
  secretsLeft: number,
): string {
  const lines = [
    `bundle ${bundle} is in ${directory}: ${components.join(', ')} (${plural(members, 'member')}, ${formatBytes(plainBytes)})`,
  ];
  if (secrets > 0)
    lines.push(`${plural(secrets, 'Keychain item')} IN CLEAR in secrets.json: delete it when you are done`);
  if (secretsLeft > 0)
    lines.push(`${plural(secretsLeft, 'Keychain item')} left sealed (--with-secrets writes them in clear)`);
  return lines.join('\n');
}
