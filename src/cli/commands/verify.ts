// `verify [LANE]`: reads again what lies in a store, and tells what is wrong with it.

import { Command } from 'commander';
import type { Temporal } from '../../client/connection.ts';
import { startVerify } from '../../client/start.ts';
import type { FleetFile } from '../../config/fleet-file.ts';
import type { VerifyResult, VerifySample } from '../../contract/verify.ts';
import { Failure } from '../../domain/failure.ts';
import { oneFaultText } from '../../domain/fault-text.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { follow, sayHowToFollow, warnOfMissingWorkers } from '../follow.ts';
import { formatBytes, formatDuration, formatInstant, formatTable, plural } from '../format.ts';
import { parseBundle, parseLane } from '../parse.ts';

interface Options {
  readonly bundle?: string;
  readonly store?: string;
  readonly sample: VerifySample;
}

export function verifyCommand(cli: Cli): Command {
  const command = new Command('verify')
    .description('read again what the store has: signatures, presence, digests, and a sample opened')
    .argument('[LANE]', 'one lane (default: all)', parseLane('LANE'))
    .option('--bundle <ID>', 'this bundle (default: every bundle of the lane)', parseBundle('--bundle'))
    .option('--store <NAME>', "the lane's store or its replica (default: the lane's store)")
    .option('--sample <SAMPLE>', 'what is opened: due (those whose turn it is), all, or none', parseSample, 'due')
    .action(cli.action((lane: string | undefined, options: Options) => verify(cli, lane, options)));
  return documented(command, {
    examples: [
      './clawback verify',
      './clawback verify lane-1 --sample all',
      './clawback verify lane-1 --store tokyo-copy',
    ],
    json: [
      '`lanes`: a list of `workflowId`, `lane`, `store`, `bundles`, `segments`, `opened`, `members`, `readBytes`, `databases`, `live`, `faults`, `gaps`, `coverage`, `elapsedMs`',
      '`databases`: `checked`, `tooLarge` (not checked: no room in memory), `unchecked` (of these: `bundle`, `segment`, `sizeBytes`), `dangling`',
      '`live`: `state` (`compared`, `silent`: the lane did not answer, `skipped`), `compared`, `changed` since the bundle, `different` (of those compared)',
      '`faults`: a list of `bundle`, `segment`, `component`, `object` (`manifest`, `segment`, `index`, `database`), `what` (`missing`, `damaged`, `unopenable`), `store`',
      '`gaps`: a list of `bundle`, `predecessor`, `what` (`missing`, `changed`)',
      '`coverage`: `segments`, `opened` (of these, within `withinMs`), `withinMs`, `oldestOpenedAt` or null; `comparable` segments of files on the lane, `compared` (of these, within `withinMs`), `oldestComparedAt` or null',
    ],
    notes: [
      'Run daily, it has opened everything within `verify.within` of the fleet file. What it found bad is not referred to by the next backup, which sends it again. Exit status 7 when something is wrong.',
    ],
  });
}

function parseSample(text: string): VerifySample {
  if (text === 'due' || text === 'all' || text === 'none') return text;
  throw new Failure('InvalidInput', '--sample is due, all or none', { field: '--sample' });
}

async function verify(cli: Cli, only: string | undefined, options: Options): Promise<Outcome> {
  if (only === undefined && options.bundle !== undefined)
    throw new Failure('InvalidInput', '--bundle wants a LANE: bundles are of one lane', { field: '--bundle' });
  const file = only === undefined ? await cli.loadFleet() : await cli.stakeLane(only);
  const lanes = only === undefined ? Object.keys(file.fleet.lanes) : [only];
  return cli.withTemporal(async (temporal) => {
    await warnOfMissingWorkers(cli, temporal, 'copy');
    const done: Verified[] = [];
    for (const lane of lanes) done.push(await verifyLane(cli, temporal, { file, lane, ...options }));
    return verifyOutcome(done);
  });
}

type Verified = VerifyResult & { readonly workflowId: string };

async function verifyLane(
  cli: Cli,
  temporal: Temporal,
  { file, lane, ...options }: Options & { readonly file: FleetFile; readonly lane: string },
): Promise<Verified> {
  const run = await startVerify(temporal.client, { lane, ...options });
  sayHowToFollow(cli, run.workflowId);
  const fleet = file.fleet.fleet;
  const result = await follow(cli, temporal, { run, fleet, lane, title: `verify ${lane}`, isSectionless: true });
  return { workflowId: run.workflowId, ...result };
}

export function verifyOutcome(lanes: readonly Verified[]): Outcome {
  const isBad = lanes.some(
    ({ faults, gaps, live }) => faults.length > 0 || live.different > 0 || gaps.some(({ what }) => what === 'changed'),
  );
  return { json: { lanes }, text: lanes.map(verifyText).join('\n\n'), exit: isBad ? 'damaged' : 'ok' };
}

function verifyText(result: Verified): string {
  const { lane, store, bundles, segments, opened, members, readBytes, databases, faults, gaps, coverage } = result;
  const oldest = coverage.oldestOpenedAt === null ? '' : `, the oldest at ${formatInstant(coverage.oldestOpenedAt)}`;
  const rows = [
    [
      'read',
      `${plural(segments, 'segment')} of ${plural(bundles, 'bundle')}, ${formatBytes(readBytes)} in ${formatDuration(result.elapsedMs)}`,
    ],
    ['opened', `${plural(opened, 'segment')}, ${plural(members, 'member')} compared`],
    [
      'coverage',
      `${coverage.opened} of ${coverage.segments} opened within ${formatDuration(coverage.withinMs)}${oldest}`,
    ],
    ['', comparedText(coverage)],
    ['databases', databaseText(databases)],
    ...databases.unchecked.map(({ bundle, segment, sizeBytes }) => [
      'unchecked',
      `a database of ${formatBytes(sizeBytes)} in bundle ${bundle}, ${segment}: no room in the worker's memory`,
    ]),
    [result.live.different > 0 ? 'WRONG' : 'lane', liveText(result.live)],
    ...gaps.map(({ bundle, predecessor, what }) => [
      what === 'changed' ? 'WRONG' : 'gap',
      `${predecessor}, which ${bundle} follows, ${what === 'changed' ? 'is another than it was' : 'is not there'}`,
    ]),
    ...faults.map((fault) => ['WRONG', `bundle ${fault.bundle}: ${oneFaultText(fault)}`]),
  ];
  const head = faults.length > 0 ? `${plural(faults.length, 'fault')} in` : soundText(result.live);
  return `lane ${lane}: ${head} what store ${store} has\n${formatTable([], rows)}`;
}

function soundText({ different }: Verified['live']): string {
  return different > 0 ? 'the lane differs from' : 'all is well with';
}

function liveText({ state, compared, changed, different }: Verified['live']): string {
  if (state === 'silent') return 'does not answer: no file was compared with it';
  if (state === 'skipped') return 'not compared';
  const same = `${plural(compared, 'file')} compared with the newest bundles, ${changed} changed since`;
  return different === 0
    ? same
    : `${same}, ${different} with other bytes under the same size and time (~/.clawback/report)`;
}

function comparedText({ comparable, compared, withinMs, oldestComparedAt }: Verified['coverage']): string {
  const oldest = oldestComparedAt === null ? '' : `, the oldest at ${formatInstant(oldestComparedAt)}`;
  return `${compared} of ${comparable} compared with the lane within ${formatDuration(withinMs)}${oldest}`;
}

function databaseText({ checked, tooLarge, dangling }: Verified['databases']): string {
  return [
    `${checked} of the newest bundle checked`,
    ...(tooLarge > 0 ? [`${tooLarge} not checked: no room in memory`] : []),
    ...(dangling > 0 ? [`${dangling} with rows that refer to nothing`] : []),
  ].join(', ');
}
