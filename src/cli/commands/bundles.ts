// `bundles list` and `bundles show`: what the store has, by its signed manifests. Offline: needs the store and the
// fleet file with its public keys, no Temporal, no private key.

import { Command } from 'commander';
import type { FleetFile } from '../../config/fleet-file.ts';
import { type ExitName, type Failure, failureTable, isFailure } from '../../domain/failure.ts';
import { type Proven, proofOf, provenOf } from '../../receipt/proven.ts';
import { readReceipts } from '../../receipt/stored-receipts.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { formatBytes, formatDuration, formatInstant, formatTable, plural } from '../format.ts';
import { heldBy, manifestText, sizesOf } from '../manifest-text.ts';
import { parseBundle, parseLane } from '../parse.ts';
import { fromEither, type Kept, lookEverywhere, shelfFor, storeHelp } from '../shelves.ts';

export function bundlesCommand(cli: Cli): Command {
  return new Command('bundles')
    .usage('COMMAND')
    .description('what the store has')
    .addCommand(listCommand(cli))
    .addCommand(showCommand(cli));
}

function listCommand(cli: Cli): Command {
  const command = new Command('list')
    .description('the bundles of a lane, or of all, newest first')
    .argument('[LANE]', 'one lane (default: all)', parseLane('LANE'))
    .action(cli.action((lane: string | undefined) => list(cli, lane)));
  return documented(command, {
    examples: ['./clawback bundles list', './clawback bundles list lane-1'],
    json: [
      '`lanes`: a list of `lane`, `store`, `replica` (or null), `bundles`, and `unseen` (why a store could not be looked at)',
      'a bundle: `bundle`, `tier`, `capturedAt`, `createdAt`, `components`, `segments`, `sizeBytes`, `sealedBytes`, `openclawVersion`, `suspect`, `proven` (null: the receipts could not be read), `receipt` (the id of the one that proves it, or null), `stores` (where it is), `spoiled` (copies of it that cannot be used: `store`, `code`, `message`), `goneFrom` (null, or the `store` that has it no more while the replica does, and when it expired there, `expiredAt`, or null), `tombstonedAt` (null, or when retention gave it up)',
      'one that cannot be used: `bundle`, `code`, `message`',
    ],
    notes: ['Exit status 7 when the manifest of one cannot be used, 6 when one of two stores does not answer.'],
  });
}

async function list(cli: Cli, only: string | undefined): Promise<Outcome> {
  const file = only === undefined ? await cli.loadFleet() : await cli.stakeLane(only);
  const lanes = [];
  for (const lane of only === undefined ? Object.keys(file.fleet.lanes) : [only]) {
    const { store, replica = null } = file.laneSpec(lane);
    const { bundles, silent } = await lookEverywhere(file, lane);
    const proven = await provenOn(cli, file, lane);
    const found = bundles.map((one) => ({ ...one, proof: proofIn(proven, one) }));
    for (const { message } of silent) cli.warn(`lane ${lane}: ${message}`);
    lanes.push({ lane, store, replica, found, unseen: silent.map(({ code, message }) => ({ code, message })) });
  }
  const damaged = lanes.some(({ found }) => found.some(({ seen, spoiled }) => 'failure' in seen || spoiled.length > 0));
  const silent = lanes.some(({ unseen }) => unseen.length > 0);
  return {
    json: { lanes: lanes.map(({ found, ...about }) => ({ ...about, bundles: found.map(bundleJson) })) },
    text: lanes.map(laneText).join('\n\n'),
    exit: exitOf(damaged, silent),
  };
}

function exitOf(damaged: boolean, silent: boolean): ExitName {
  if (damaged) return 'damaged';
  return silent ? 'unreachable' : 'ok';
}

/** With the receipt that proves it: null when none does, undefined when the receipts could not be read. */
type Found = Kept & { readonly proof: string | null | undefined };

function proofIn(proven: Proven | undefined, { seen }: Kept): string | null | undefined {
  if (!proven) return undefined;
  return 'failure' in seen ? null : (proofOf(proven, seen.bundle, seen.sha256)?.receipt ?? null);
}

/** By the receipts in the lane's own store or, where it does not answer, in its replica. One that does not answer is told, and leaves the bundles to be listed. */
async function provenOn(cli: Cli, file: FleetFile, lane: string): Promise<Proven | undefined> {
  const publicKeysPem = file.keys.receipt;
  if (publicKeysPem.length === 0) return new Map();
  try {
    const of = { fleet: file.fleet.fleet, lane, publicKeysPem };
    const { read } = await fromEither(file, lane, ({ store }) => readReceipts(store, of));
    const { receipts, ignored } = read;
    for (const { failure } of ignored) cli.warn(`not believed: ${failure.message}`);
    return provenOf(receipts);
  } catch (error) {
    if (!isFailure(error)) throw error;
    cli.warn(`lane ${lane}: its receipts could not be read: ${error.message}`);
    return undefined;
  }
}

function bundleJson({ seen: one, stores, spoiled, goneFrom, proof }: Found): Record<string, unknown> {
  if ('failure' in one) return { bundle: one.bundle, stores, code: one.failure.code, message: one.failure.message };
  const { bundle, tier, capturedAt, createdAt, host, suspect = [] } = one.manifest;
  return {
    bundle,
    tier,
    capturedAt,
    createdAt,
    components: heldBy(one.manifest),
    ...sizesOf(one.manifest),
    openclawVersion: host.openclawVersion ?? null,
    suspect,
    proven: proof === undefined ? null : proof !== null,
    receipt: proof ?? null,
    stores,
    spoiled: spoiled.map(({ store, failure: { code, message } }) => ({ store, code, message })),
    goneFrom,
    tombstonedAt: one.tombstonedAt,
  };
}

interface ListedLane {
  readonly lane: string;
  readonly store: string;
  readonly replica: string | null;
  readonly found: readonly Found[];
}

function laneText({ lane, store, replica, found }: ListedLane): string {
  if (found.length === 0) return `lane ${lane}: no bundle in store ${store} yet (./clawback backup ${lane})`;
  const nowMs = Date.now();
  const rows = found.map((one) => {
    const { bundle, seen, stores } = one;
    const row = 'failure' in seen ? damagedRow(bundle, seen.failure) : bundleRow(seen, one, nowMs);
    return replica === null ? row : row.toSpliced(-1, 0, stores.join(', '));
  });
  const where = replica === null ? [] : ['in'];
  const table = formatTable(['bundle', 'tier', 'captured', 'ago', 'size', 'at rest', ...where, ''], rows);
  const places = replica === null ? `store ${store}` : `store ${store} and its replica ${replica}`;
  return `lane ${lane}: ${plural(found.length, 'bundle')} in ${places}\n${table}`;
}

function bundleRow({ manifest, tombstonedAt }: Sound, { proof, spoiled, goneFrom }: Found, nowMs: number): string[] {
  const { bundle, tier, capturedAt, suspect = [] } = manifest;
  const { sizeBytes, sealedBytes } = sizesOf(manifest);
  const remarks = [
    ...(suspect.length > 0 ? [`SUSPECT: ${suspect.join(', ')}`] : []),
    ...(proof ? [`proven by ${proof}`] : []),
    ...(tombstonedAt === null ? [] : [`expired ${formatInstant(tombstonedAt)}, still there`]),
    ...(goneFrom === null ? [] : [goneText(goneFrom)]),
    ...spoiled.map(({ store, failure }) => `UNUSABLE in ${store}: ${failure.message}`),
  ];
  return [
    bundle,
    tier,
    formatInstant(capturedAt),
    formatDuration(nowMs - Date.parse(capturedAt)),
    formatBytes(sizeBytes),
    formatBytes(sealedBytes),
    remarks.join('; '),
  ];
}

function goneText({ store, expiredAt }: NonNullable<Kept['goneFrom']>): string {
  return expiredAt === null ? `no more in ${store}` : `expired from ${store} (${formatInstant(expiredAt)})`;
}

type Sound = Exclude<Found['seen'], { readonly failure: Failure }>;

function damagedRow(bundle: string, failure: Failure): string[] {
  return [bundle, '?', '?', '?', '?', '?', `UNUSABLE: ${failure.message}; ${failureTable[failure.code].hint}`];
}

function showCommand(cli: Cli): Command {
  const command = new Command('show')
    .description("one bundle's manifest, its signature checked")
    .argument('<BUNDLE>', "the bundle's id", parseBundle('BUNDLE'))
    .requiredOption('--lane <LANE>', 'the lane it is of', parseLane('--lane'))
    .option('--store <NAME>', storeHelp)
    .action(cli.action((bundle: string, options: ShowOptions) => show(cli, bundle, options)));
  return documented(command, {
    examples: ['./clawback bundles show 20261122T031500Z-1a2b3c4d --lane lane-1'],
    json: [
      '`manifest`: the manifest as it was signed (docs/bundle-format.md)',
      '`sha256`: of the stored manifest',
      '`store`: where it was read',
    ],
  });
}

interface ShowOptions {
  readonly lane: string;
  readonly store?: string;
}

async function show(cli: Cli, bundle: string, options: ShowOptions): Promise<Outcome> {
  const file = await cli.stakeLane(options.lane);
  const shelf = await shelfFor(cli, { file, bundle, ...options });
  const { manifest, sha256 } = await shelf.read(bundle);
  const exit: ExitName = manifest.suspect?.length ? 'attention' : 'ok';
  const store = shelf.store.name;
  return { json: { manifest, sha256, store }, text: manifestText(manifest, sha256, store), exit };
}
