// `receipt show`: one receipt, of a lane's run, a gate or an incident, as checklist and page. Offline, as `receipt list`.

import { Command } from 'commander';
import { Failure } from '../../domain/failure.ts';
import { bundleIdPattern } from '../../domain/terms.ts';
import { checklistText } from '../../receipt/checklist.ts';
import { incidentChecklist } from '../../receipt/incident-checklist.ts';
import { incidentPage } from '../../receipt/incident-page.ts';
import { receiptPage } from '../../receipt/page.ts';
import { provenBy } from '../../receipt/proven.ts';
import type { OpenedReceipt } from '../../receipt/receipt.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { readStoredIncident, readStoredReceipt } from '../found-receipts.ts';
import { parseLane, parsePath, parsePaths } from '../parse.ts';
import { type IncidentFile, openAnyFile, publicKeys, type ReceiptFile, written } from '../receipt-files.ts';

export const receiptField =
  '`receipt`: as it was signed (docs/receipt-format.md); `sha256`: of the file; `proves`: ids of the bundles that it proves';

export function openedJson({ receipt, sha256 }: OpenedReceipt): Record<string, unknown> {
  return { receipt, sha256, proves: provenBy(receipt).map(({ bundle }) => bundle) };
}

interface ShowOptions {
  readonly lane?: string;
  readonly incident?: string;
  readonly key?: readonly string[];
  readonly html?: string;
  readonly save?: string;
}

export const keyOption = [
  '--key <FILE>',
  'public key of the receipts, PEM; may be given again (default: keys.receipt.public of the fleet file)',
  parsePaths('--key'),
] as const;

export function showCommand(cli: Cli): Command {
  const command = new Command('show')
    .description('one receipt, its signature checked, as the first-hour checklist in Markdown')
    .argument('<RECEIPT>', "a receipt's id, with --lane or --incident; or a file", parsePath('RECEIPT'))
    .option('--lane <LANE>', 'the lane that it is of; of a gate, the first lane of its host', parseLane('--lane'))
    .option('--incident <SUBJECT>', 'of an incident: the lane, host or region it was about', parseLane('--incident'))
    .option(...keyOption)
    .option('--html <FILE>', 'write it as one page of HTML too', parsePath('--html'))
    .option('--save <FILE>', 'write the signed receipt itself too, for others to verify', parsePath('--save'))
    .action(cli.action((receipt: string, options: ShowOptions) => show(cli, receipt, options)));
  return documented(command, {
    examples: [
      './clawback receipt show 20261122T040000Z-1a2b3c4d --lane lane-1',
      './clawback receipt show 20261122T040000Z-1a2b3c4d --lane lane-1 --html receipt.html --save receipt.json',
      './clawback receipt show 20261122T040000Z-1a2b3c4d --incident mac-1 --html incident.html',
      './clawback receipt show receipt.json --key receipt.public.pem',
    ],
    json: [
      receiptField,
      'of an incident: `incident` instead of `receipt`',
      '`checklist`: the first-hour checklist, Markdown',
      '`html`, `saved`: what was written, or null',
    ],
    notes: ['Exit status 7 when it is damaged, or signed by nobody trusted: then nothing of it is shown.'],
  });
}

async function show(cli: Cli, name: string, options: ShowOptions): Promise<Outcome> {
  const found = await toShow(cli, name, options);
  const isIncident = 'incident' in found;
  const checklist = isIncident
    ? incidentChecklist(found.incident, found.sha256)
    : checklistText(found.receipt, found.sha256);
  const html = await written(cli, options.html, '--html', () =>
    isIncident ? incidentPage(found.incident, found.sha256) : receiptPage(found.receipt, found.sha256),
  );
  const saved = await written(cli, options.save, '--save', () => found.bytes);
  const notes = [...(html === null ? [] : [`Page: ${html}`]), ...(saved === null ? [] : [`Receipt: ${saved}`])];
  for (const note of notes) cli.note(note);
  const shown = isIncident ? { incident: found.incident, sha256: found.sha256, proves: [] } : openedJson(found);
  return { json: { ...shown, checklist, html, saved }, text: checklist };
}

async function toShow(cli: Cli, name: string, options: ShowOptions): Promise<ReceiptFile | IncidentFile> {
  const { lane, incident } = options;
  if (incident !== undefined) return readStoredIncident(await cli.loadFleet(), incident, name);
  if (lane !== undefined) return readStoredReceipt(await cli.stakeLane(lane), lane, name);
  if (bundleIdPattern.test(name))
    throw new Failure(
      'InvalidInput',
      `${name} is a receipt's id: say of which lane with --lane, or with --incident of which lane, host or region`,
      { field: '--lane' },
    );
  return openAnyFile(cli, name, await publicKeys(cli, options.key));
}
