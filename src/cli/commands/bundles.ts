// `bundles list` and `bundles show`: what the store has, by its signed manifests. Offline: needs the store and the
// fleet file with its public keys, no Temporal, no private key.

import { Command } from 'commander';
import type { Manifest } from '../../bundle/manifest.ts';
import type { FleetFile } from '../../config/fleet-file.ts';
import { type ExitName, type Failure, failureTable, isFailure } from '../../domain/failure.ts';
import { type Component, components } from '../../domain/terms.ts';
import { type Proven, proofOf, provenOf } from '../../receipt/proven.ts';
import { readReceipts } from '../../receipt/stored-receipts.ts';
import { BundleShelf, type Everywhere, lookEverywhere } from '../bundle-shelf.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { formatBytes, formatDuration, formatInstant, formatTable, plural } from '../format.ts';
import { parseBundle, parseLane } from '../parse.ts';

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
      'a bundle: `bundle`, `tier`, `capturedAt`, `createdAt`, `components`, `segments`, `sizeBytes`, `sealedBytes`, `openclawVersion`, `suspect`, `proven` (null: the receipts could not be read), `receipt` (the id of the one that proves it, or null), `stores` (where it is), `tombstonedAt` (null, or when retention gave it up)',
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
  const damaged = lanes.some(({ found }) => found.some(({ seen }) => 'failure' in seen));
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
type Found = Everywhere['bundles'][number] & { readonly proof: string | null | undefined };

function proofIn(proven: Proven | undefined, { seen }: Everywhere['bundles'][number]): string | null | undefined {
  if (!proven) return undefined;
  return 'failure' in seen ? null : (proofOf(proven, seen.bundle, seen.sha256)?.receipt ?? null);
}

/** By the receipts in the lane's own store. One that does not answer is told, and leaves the bundles to be listed. */
async function provenOn(cli: Cli, file: FleetFile, lane: string): Promise<Proven | undefined> {
  const publicKeysPem = file.keys.receipt;
  if (publicKeysPem.length === 0) return new Map();
  try {
    const { store } = new BundleShelf(file, lane);
    const { receipts, ignored } = await readReceipts(store, { fleet: file.fleet.fleet, lane, publicKeysPem });
    for (const { failure } of ignored) cli.warn(`not believed: ${failure.message}`);
    return provenOf(receipts);
  } catch (error) {
    if (!isFailure(error)) throw error;
    cli.warn(`lane ${lane}: its receipts could not be read: ${error.message}`);
    return undefined;
  }
}

function bundleJson({ seen: one, stores, proof }: Found): Record<string, unknown> {
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
    tombstonedAt: one.tombstonedAt,
  };
}

function heldBy(manifest: Manifest): Component[] {
  return components.filter((component) => (manifest.components[component]?.segments ?? 0) > 0);
}

function sizesOf({ segments }: Manifest): {
  readonly segments: number;
  readonly sizeBytes: number;
  readonly sealedBytes: number;
} {
  return {
    segments: segments.length,
    sizeBytes: segments.reduce((sum, { plainBytes }) => sum + plainBytes, 0),
    sealedBytes: segments.reduce((sum, { sealedBytes, index }) => sum + sealedBytes + index.sealedBytes, 0),
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
  const rows = found.map(({ bundle, seen, stores, proof }) => {
    const row = 'failure' in seen ? damagedRow(bundle, seen.failure) : bundleRow(seen, proof, nowMs);
    return replica === null ? row : row.toSpliced(-1, 0, stores.join(', '));
  });
  const where = replica === null ? [] : ['in'];
  const table = formatTable(['bundle', 'tier', 'captured', 'ago', 'size', 'at rest', ...where, ''], rows);
  const places = replica === null ? `store ${store}` : `store ${store} and its replica ${replica}`;
  return `lane ${lane}: ${plural(found.length, 'bundle')} in ${places}\n${table}`;
}

function bundleRow({ manifest, tombstonedAt }: Sound, proof: string | null | undefined, nowMs: number): string[] {
  const { bundle, tier, capturedAt, suspect = [] } = manifest;
  const { sizeBytes, sealedBytes } = sizesOf(manifest);
  const remarks = [
    ...(suspect.length > 0 ? [`SUSPECT: ${suspect.join(', ')}`] : []),
    ...(proof ? [`proven by ${proof}`] : []),
    ...(tombstonedAt === null ? [] : [`expired ${formatInstant(tombstonedAt)}, still there`]),
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

type Sound = Exclude<Found['seen'], { readonly failure: Failure }>;

function damagedRow(bundle: string, failure: Failure): string[] {
  return [bundle, '?', '?', '?', '?', '?', `UNUSABLE: ${failure.message}; ${failureTable[failure.code].hint}`];
}

function showCommand(cli: Cli): Command {
  const command = new Command('show')
    .description("one bundle's manifest, its signature checked")
    .argument('<BUNDLE>', "the bundle's id", parseBundle('BUNDLE'))
    .requiredOption('--lane <LANE>', 'the lane it is of', parseLane('--lane'))
    .action(cli.action((bundle: string, { lane }: { lane: string }) => show(cli, bundle, lane)));
  return documented(command, {
    examples: ['./clawback bundles show 20261122T031500Z-1a2b3c4d --lane lane-1'],
    json: ['`manifest`: the manifest as it was signed (docs/bundle-format.md)', '`sha256`: of the stored manifest'],
  });
}

async function show(cli: Cli, bundle: string, lane: string): Promise<Outcome> {
  const shelf = new BundleShelf(await cli.stakeLane(lane), lane);
  const { manifest, sha256 } = await shelf.read(bundle);
  const exit: ExitName = manifest.suspect?.length ? 'attention' : 'ok';
  return { json: { manifest, sha256 }, text: manifestText(manifest, sha256), exit };
}

function manifestText(manifest: Manifest, sha256: string): string {
  const {
    bundle,
    lane,
    fleet,
    tier,
    profile,
    capturedAt,
    host,
    consistency,
    predecessor,
    suspect = [],
    omissions,
    recipients,
  } = manifest;
  const { segments, sizeBytes, sealedBytes } = sizesOf(manifest);
  const rows = [
    ['lane', `${lane} of fleet ${fleet}, on ${host.name} in ${host.region} (${host.os})`],
    ['captured', `${formatInstant(capturedAt)}, ${formatDuration(Date.now() - Date.parse(capturedAt))} ago`],
    ['OpenClaw', `${host.openclawVersion ?? 'version unknown'}, profile ${profile}`],
    ['holds', `${formatBytes(sizeBytes)} in ${plural(segments, 'segment')}, ${formatBytes(sealedBytes)} at rest`],
    ['files', consistency === 'cloned' ? 'from a clone of one moment' : 'compared before and after they were read'],
    ['follows', predecessor?.bundle ?? 'none'],
    ['opens with', recipients.map(({ name, fingerprint }) => `${name} (${fingerprint.slice(0, 16)}…)`).join(', ')],
    ...(omissions.length > 0
      ? [['left out', omissions.map(({ reason, count }) => `${count} ${reason}`).join(', ')]]
      : []),
    ['manifest', `SHA-256 ${sha256}, signature good`],
    ...suspect.map((reason) => ['SUSPECT', reason]),
  ];
  const parts = heldBy(manifest).map((component) => {
    const totals = manifest.components[component];
    return [
      component,
      String(totals?.segments ?? 0),
      String(totals?.members ?? 0),
      formatBytes(totals?.plainBytes ?? 0),
    ];
  });
  return [
    `bundle ${bundle} (tier ${tier})`,
    formatTable([], rows),
    '',
    formatTable(['component', 'segments', 'members', 'size'], parts),
  ].join('\n');
}
