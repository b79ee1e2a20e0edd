// `expire LANE` and `expire --all`: gives up bundles that retention does not keep, and removes those that were given up
// a grace ago.

import type { ExpiryResult } from '../../contract/expiry.ts';
import { Command } from 'commander';
import type { Temporal } from '../../client/connection.ts';
import { startExpiry } from '../../client/start.ts';
import { describeFailure, type ExitName, Failure, failureTable } from '../../domain/failure.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { expiryText } from '../expiry-text.ts';
import { asFailure } from '../failure-report.ts';
import { follow, sayHowToFollow, warnOfMissingWorkers } from '../follow.ts';
import { parseLane } from '../parse.ts';

interface Options {
  readonly all?: true;
  readonly dryRun?: true;
}

export function expireCommand(cli: Cli): Command {
  const command = new Command('expire')
    .description('give up bundles that `retention` does not keep, and remove those whose grace is over')
    .argument('[LANE]', 'the lane, as fleet.yaml names it', parseLane('LANE'))
    .option('--all', 'every lane of the fleet')
    .option('--dry-run', 'show what is to become of each bundle and why; change nothing')
    .action(cli.action((lane: string | undefined, options: Options) => expire(cli, lane, options)));
  return documented(command, {
    examples: ['./clawback expire lane-1 --dry-run', './clawback expire --all'],
    json: expiryFields,
    notes: [
      'A bundle that is given up gets a tombstone: backups and restores do not build on it any more, but it can be restored by its id until the grace of `retention` is over and a later run removes it. Exit status 5 when expiry stands still for a lane.',
    ],
  });
}

export const expiryFields = [
  '`lanes`: a list, one object for each lane',
  '`workflowId`, `lane`, `dryRun`, `timeZone`',
  '`stores`: a list of `store`, `standsStill` (null or why), `bundles` (`bundle`, `tier`, `state`, `reasons`, `goesAt`), `bundlesTotal`, `expiringBytes`, `buried`, `removedBundles`, `removedObjects`, `removedBytes`, `lockedObjects`, `lockedUntil` (when the store lets the last of these go, or null), `staleUploads`, `reprieved`',
  'a lane that could not be expired: `lane`, `code`, `message`',
] as const;

type Ended = { readonly lane: string } & (
  | { readonly workflowId: string; readonly result: ExpiryResult }
  | { readonly failure: Failure }
);

async function expire(cli: Cli, lane: string | undefined, { all, dryRun: dry }: Options): Promise<Outcome> {
  if ((lane === undefined) === (all === undefined))
    throw new Failure('InvalidInput', 'give either a lane or --all', { field: 'LANE' });
  const dryRun = dry === true;
  const { fleet } = lane === undefined ? await cli.loadFleet() : await cli.stakeLane(lane);
  return cli.withTemporal(async (temporal) => {
    await warnOfMissingWorkers(cli, temporal, 'expire');
    if (lane !== undefined) return expiryOutcome([await run(cli, temporal, { fleet: fleet.fleet, lane, dryRun })]);
    const ended: Ended[] = [];
    // one after the other: it is a matter of seconds, and stores are read in turn
    for (const one of Object.keys(fleet.lanes)) {
      const request = { fleet: fleet.fleet, lane: one, dryRun };
      ended.push(await run(cli, temporal, request).catch((error: unknown) => failedIn(one, error)));
    }
    return expiryOutcome(ended);
  });
}

interface Request {
  readonly fleet: string;
  readonly lane: string;
  readonly dryRun: boolean;
}

async function run(cli: Cli, temporal: Temporal, { fleet, lane, dryRun }: Request): Promise<Ended> {
  const started = await startExpiry(temporal.client, { lane, dryRun });
  cli.markStarted();
  sayHowToFollow(cli, started.workflowId);
  const result = await follow(cli, temporal, { run: started, fleet, lane, title: `expire ${lane}` });
  return { lane, workflowId: started.workflowId, result };
}

/** One lane's failure stops no other; Ctrl-C does. */
function failedIn(lane: string, error: unknown): Ended {
  const failure = asFailure(error);
  if (failure.code === 'Detached') throw failure;
  return { lane, failure };
}

export function expiryOutcome(ended: readonly Ended[]): Outcome {
  return {
    json: {
      lanes: ended.map((one) =>
        'failure' in one
          ? { lane: one.lane, code: one.failure.code, message: one.failure.message }
          : { workflowId: one.workflowId, ...one.result },
      ),
    },
    text: ended.map(textOf).join('\n\n'),
    exit: exitOf(ended),
  };
}

function textOf(one: Ended): string {
  if (!('failure' in one)) return expiryText(one.result);
  return `lane ${one.lane}: ${describeFailure(one.failure.code, one.failure.message)}`;
}

function exitOf(ended: readonly Ended[]): ExitName {
  for (const one of ended) if ('failure' in one) return failureTable[one.failure.code].exit;
  const still = ended.some(
    (one) => 'result' in one && one.result.stores.some(({ standsStill }) => standsStill !== null),
  );
  return still ? 'attention' : 'ok';
}
