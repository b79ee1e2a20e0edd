// `receipt list`, `show` and `verify`: what runs did, by their signed receipts. Offline: list and show need the store
// and the fleet file, verify a public key and the file alone; none of them Temporal or a private key.

import { Command } from 'commander';
import { type Failure, failureTable, isFailure } from '../../domain/failure.ts';
import type { OpenedIncident } from '../../receipt/incident-receipt.ts';
import type { Receipt } from '../../receipt/receipt.ts';
import type { IgnoredReceipt } from '../../receipt/stored-receipts.ts';
import { proofText, runText, verdictText } from '../../receipt/words.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { readAllReceipts, type SubjectReceipts } from '../found-receipts.ts';
import { formatDuration, formatInstant, formatTable, plural, printable } from '../format.ts';
import { incidentReceiptText } from '../incident-text.ts';
import { parseLane, parsePaths } from '../parse.ts';
import { openAnyFile, publicKeys, type ReceiptFile } from '../receipt-files.ts';
import { keyOption, openedJson, receiptField, showCommand } from './receipt-show.ts';

export function receiptCommand(cli: Cli): Command {
  return new Command('receipt')
    .usage('COMMAND')
    .description('what restores, gates and incidents did, passed or failed, by their signed receipts')
    .addCommand(listCommand(cli))
    .addCommand(showCommand(cli))
    .addCommand(verifyCommand(cli));
}

function listCommand(cli: Cli): Command {
  const command = new Command('list')
    .description('the receipts of a lane, and of the incidents of a lane, host or region, newest first')
    .argument('<SUBJECT>', 'a lane, host or region, as fleet.yaml names it', parseLane('SUBJECT'))
    .action(cli.action((subject: string) => list(cli, subject)));
  return documented(command, {
    examples: ['./clawback receipt list lane-1', './clawback receipt list mac-1'],
    json: [
      '`subject`, `stores` (those that were read); `receipts`: a list of `receipt` (as it was signed), `sha256`, `proves`',
      '`incidents`: a list of `incident` (as it was signed), `sha256`',
      '`ignored`: those that are not to be believed: `id`, `code`, `message`; `silent`: stores that did not answer: `code`, `message`',
    ],
    notes: [
      'Exit status 7 when one is damaged, foreign or signed by nobody trusted. A terminated run has no receipt, and a dry run neither. The receipt of a gate lies with those of the first lane of its host.',
    ],
  });
}

async function list(cli: Cli, subject: string): Promise<Outcome> {
  const found = await readAllReceipts(await cli.loadFleet(), subject);
  for (const { message } of found.silent) cli.warn(`${message}; what only that store has is missing below`);
  return {
    json: {
      subject,
      stores: found.stores,
      receipts: found.receipts.map(openedJson),
      incidents: found.incidents,
      ignored: found.ignored.map(ignoredJson),
      silent: found.silent.map(({ code, message }) => ({ code, message })),
    },
    text: listText(subject, found),
    exit: found.ignored.length > 0 ? 'damaged' : 'ok',
  };
}

function ignoredJson({ id, failure }: IgnoredReceipt): Record<string, unknown> {
  return { id, code: failure.code, message: failure.message };
}

function listText(subject: string, { stores, receipts, incidents, ignored }: SubjectReceipts): string {
  const rows = [
    ...receipts.map(({ receipt }) => receiptRow(receipt)),
    ...incidents.map(({ incident }) => incidentRow(incident)),
    ...ignored.map(({ id, failure }) => [
      id,
      '?',
      '?',
      '?',
      '?',
      `NOT BELIEVED: ${printable(failure.message)}; ${failureTable[failure.code].hint}`,
    ]),
  ].toSorted(([one = ''], [other = '']) => (one < other ? 1 : -1));
  const where = `in ${stores.length === 1 ? 'store' : 'stores'} ${stores.join(', ')}`;
  if (rows.length === 0) return `${subject}: no receipt ${where} yet`;
  return `${subject}: ${plural(rows.length, 'receipt')} ${where}\n${formatTable(['receipt', 'ended', 'run', 'outcome', 'RTO', ''], rows)}`;
}

function incidentRow({ id, endedAt, scenario, outcome, rto }: OpenedIncident['incident']): string[] {
  return [
    id,
    formatInstant(endedAt),
    `incident ${scenario}`,
    outcome,
    rto.ms === null ? '' : formatDuration(rto.ms),
    '',
  ];
}

function receiptRow(receipt: Receipt): string[] {
  const { id, endedAt, outcome, failure, rto } = receipt;
  return [
    id,
    formatInstant(endedAt),
    runText(receipt),
    failure === null ? outcome : `${outcome}: ${failure}`,
    formatDuration(rto.ms),
    proofText(receipt),
  ];
}

function verifyCommand(cli: Cli): Command {
  const command = new Command('verify')
    .description('check signature and content of receipts, with nothing but the public key')
    .argument('<FILE...>', 'receipts as the store has them', parsePaths('FILE'))
    .option(...keyOption)
    .action(
      cli.action((files: readonly string[], { key }: { readonly key?: readonly string[] }) => verify(cli, files, key)),
    );
  return documented(command, {
    examples: [
      './clawback receipt verify receipt.json --key receipt.public.pem',
      './clawback receipt verify bundles/lane-1/receipts/*.json',
    ],
    json: [
      '`receipts`: a list of `file`, `verified` and, of a good one, ' + receiptField,
      'of the receipt of an incident: `incident` instead of `receipt`; of one that is not good: `code`, `message`',
    ],
    notes: [
      'Exit status 0 when every file is a whole receipt, signed by one of the keys. That says nothing about what it reports: the receipt of a failed restore verifies too. 7 when one is damaged or signed by nobody trusted; 2 when a file or key cannot be read.',
    ],
  });
}

async function verify(cli: Cli, files: readonly string[], keys: readonly string[] | undefined): Promise<Outcome> {
  const publicKeysPem = await publicKeys(cli, keys);
  const looks = [];
  for (const file of files) looks.push({ file, found: await look(cli, file, publicKeysPem) });
  return {
    json: { receipts: looks.map(({ file, found }) => ({ file, ...lookJson(found) })) },
    text: looks.map(({ file, found }) => `${file}: ${lookText(found)}`).join('\n'),
    exit: looks.some(({ found }) => isFailure(found)) ? 'damaged' : 'ok',
  };
}

type Found = ReceiptFile | OpenedIncident | Failure;

async function look(cli: Cli, file: string, publicKeysPem: readonly string[]): Promise<Found> {
  try {
    return await openAnyFile(cli, file, publicKeysPem);
  } catch (error) {
    if (isFailure(error) && error.code.startsWith('Receipt')) return error;
    throw error;
  }
}

function lookJson(found: Found): Record<string, unknown> {
  if (isFailure(found)) return { verified: false, code: found.code, message: found.message };
  if ('incident' in found) return { verified: true, ...found, proves: [] };
  return { verified: true, ...openedJson(found) };
}

function lookText(found: Found): string {
  if (isFailure(found)) return `NOT BELIEVED: ${printable(found.message)}; ${failureTable[found.code].hint}`;
  if ('incident' in found) return incidentReceiptText(found.incident);
  const { receipt } = found;
  const { id, outcome, lane, host, fleet } = receipt;
  return [
    `signature good; ${outcome.toUpperCase()}, ${runText(receipt)}`,
    `  receipt ${id} of lane ${lane} on ${host.name}, fleet ${fleet}; it ${proofText(receipt)}`,
    ...verdictText(receipt).map((line) => `  ${line}`),
  ].join('\n');
}
