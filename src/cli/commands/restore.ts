// `restore LANE…`: plan, what is lost, estimate; one question; then the restore. `--dry-run` ends after the plan.

import { Command } from 'commander';
import type { Temporal } from '../../client/connection.ts';
import { cancelRun } from '../../client/run.ts';
import { startRestore } from '../../client/start.ts';
import type { RestorePlan, RestoreResult } from '../../contract/results.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { askYesNo } from '../ask.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { fleetExitNote, fleetFields, meantLanes, requireOneChoice, restoreFleet } from '../fleet-command.ts';
import { follow, sayHowToFollow, warnOfMissingWorkers } from '../follow.ts';
import { collectLanes, parseArchive, parseBundle, parseComponent, parseInstant } from '../parse.ts';
import { refuseCombinations, refuseForMany, type RestoreOptions as Options, wantsAnswer } from '../restore-options.ts';
import { type PlanContext, planText, restoreText } from '../restore-text.ts';

export function restoreCommand(cli: Cli): Command {
  const command = new Command('restore')
    .description('restore lanes: shows the plan, what is lost and the estimate, and asks once')
    .argument('[LANE...]', 'lanes, as fleet.yaml names them', collectLanes)
    .option('--all', 'every lane of the fleet, side by side')
    .option('--host <HOST>', 'the lanes of this host')
    .option(
      '--bundle <ID>',
      'from this bundle (default: the newest proven one, else the newest; with --only or --layered the newest)',
      parseBundle('--bundle'),
    )
    .option(
      '--at <TIME>',
      'from the newest bundle captured at or before this time (ISO 8601 with zone)',
      parseInstant('--at'),
    )
    .option(
      '--only <COMPONENT>',
      'one component alone: config, plists, secrets, transcripts, workspace or logs',
      parseComponent('--only'),
    )
    .option(
      '--from-archive <NAME>',
      'from an archive of the old scripts, by its name where `archives` of fleet.yaml says; it is imported first',
      parseArchive('--from-archive'),
    )
    .option('--layered', 'class 2 from the newest bundle that has it, class 1 from the newest of all')
    .option('--sandbox', 'into a private directory beside the lane, which is checked and removed again')
    .option('--undo', 'go back to what the last restore replaced')
    .option('--dry-run', 'check and plan only; nothing is changed')
    .option('--accept-version', "restore although OpenClaw's version is outside the profile's range")
    .option('--accept-running', 'restore although the gateway still runs on the host that the bundle is of')
    .option('--pin', "roll OpenClaw's version back too, to the bundle's, by the pin hook")
    .option('--stop-first', 'stop the gateway before anything is fetched: where it is itself the harm')
    .option('--yes', 'do not ask')
    .action(cli.action((lanes: readonly string[], options: Options) => restore(cli, lanes, options)));
  return documented(command, {
    examples: [
      './clawback restore lane-1',
      './clawback restore lane-1 --dry-run',
      './clawback restore --host mac-1',
      './clawback restore lane-1 --only transcripts --at 2026-11-22T03:15:00+09:00',
      './clawback restore lane-1 --undo --yes',
      './clawback restore lane-1 --from-archive openclaw-full-20260301.tar.gz.gpg',
    ],
    json: [...restoreFields, ...fleetFields],
    notes: [
      'Until a restore is committed every failure and `./clawback cancel` lead back to the tree as it was; after that `--undo` does, for seven days.',
      'Of an archive a bundle is made before the plan is shown, also with `--dry-run`: the store gets it, the lane is not touched. The same archive gives the same bundle.',
      'Where nobody can be asked (no terminal), `--yes` is needed for what changes the lane. With `--yes` the plan is made by the restore itself, in one go.',
      'Exit status 8 when the lane is restored, but later than its RTO; 5 when it runs and answers no message.',
      'Lanes of one host whose homes share a volume are restored side by side as far as it has room for all, else one after the other; one that fits not even alone is refused, untouched. `--bundle` and `--undo` are for one lane.',
      fleetExitNote,
    ],
  });
}

export const restoreFields = [
  '`workflowId`: the workflow',
  '`lane`, `host`, `bundle`; `into`: `live`, `sandbox`, `undo` or `plan`',
  '`plan`: `bundle`, `tier`, `proven`, `sources`, `store`, `sizeBytes`, `sealedBytes`, `segments`, `rpo`, `estimateMs`, `openclawVersion`, `liveOpenclawVersion`, `freeBytes`, `neededBytes`, `warnings`; null for an undo',
  '`stores`: a list of `store` and `segments`: how many each gave',
  '`rtoMs`, `rtoBudgetMs`; `steps`: a list of `step`, `ms`, `budgetMs`; `overBudget`: texts',
  '`rpo`: a list of `dataClass`, `bundle`, `capturedAt`, `rpoMs`',
  '`messageAnswered`; `bakEpoch`: names the `.bak.<epoch>` trees, or null; `receipt`: id of its receipt, null for a plan or where none could be written; `warnings`: texts',
] as const;

async function restore(cli: Cli, names: readonly string[], options: Options): Promise<Outcome> {
  requireOneChoice(names, options);
  refuseCombinations(options);
  if (names.length !== 1) refuseForMany(options);
  if (wantsAnswer(options) && !cli.canAsk) {
    throw new Failure(
      'InvalidInput',
      'there is no terminal to ask on: give --yes, or --dry-run to see the plan alone',
      { field: '--yes' },
    );
  }
  const file = await cli.loadFleet();
  const meant = meantLanes(file, names, options);
  if ('lane' in meant) return restoreLane(cli, meant.lane, options);
  const { at, only, layered = false, acceptVersion = false, sandbox } = options;
  const choice = { at, only, layered, acceptVersion, into: sandbox ? ('sandbox' as const) : ('live' as const) };
  const asks = wantsAnswer(options) ? 'ask' : 'go';
  return cli.withTemporal((temporal) =>
    restoreFleet({ cli, temporal, file, ...meant }, choice, options.dryRun ? 'plan' : asks),
  );
}

async function restoreLane(cli: Cli, lane: string, options: Options): Promise<Outcome> {
  const file = await cli.stakeLane(lane);
  return cli.withTemporal(async (temporal) => {
    await warnOfMissingWorkers(cli, temporal, 'restore');
    const context = contextOf(file.laneSpec(lane), options);
    const restoring: Restoring = { cli, temporal, fleet: file.fleet.fleet, lane };
    if (options.dryRun) return planOutcome(await makePlan(restoring, options), context);
    const bundle = wantsAnswer(options) ? await agreedBundle(restoring, options, context) : options.bundle;
    return restoreOutcome(await run(restoring, options, bundle));
  });
}

interface Restoring {
  readonly cli: Cli;
  readonly temporal: Temporal;
  readonly fleet: string;
  readonly lane: string;
}

function contextOf(
  { rpoMs, budgets }: { readonly rpoMs: number; readonly budgets: { readonly rtoMs: number } },
  options: Options,
): PlanContext {
  const { only } = options;
  return { rpoMs, rtoMs: budgets.rtoMs, chosenBy: chosenBy(options), ...(only && { only }) };
}

function chosenBy({ bundle, fromArchive, at, only, layered }: Options): PlanContext['chosenBy'] {
  if (bundle !== undefined || fromArchive !== undefined) return 'bundle';
  if (at !== undefined) return 'time';
  return only !== undefined || layered ? 'newest' : 'default';
}

/** The plan by a workflow of its own, which changes nothing; Ctrl-C gives it up. */
async function makePlan(
  { cli, temporal, fleet, lane }: Restoring,
  options: Options,
): Promise<RestoreResult & { readonly workflowId: string }> {
  const { bundle, at, only, layered = false, sandbox, acceptVersion = false, fromArchive: archive } = options;
  const { pin = false, stopFirst = false } = options;
  const into = sandbox ? 'sandbox' : 'live';
  const planning = await startRestore(temporal.client, {
    lane,
    bundle,
    at,
    archive,
    only,
    layered,
    acceptVersion: acceptVersion || pin,
    into,
    pin,
    stopFirst,
    dryRun: true,
  });
  try {
    return {
      workflowId: planning.workflowId,
      ...(await follow(cli, temporal, { run: planning, fleet, lane, title: `plan of restore ${lane}` })),
    };
  } catch (error) {
    if (!isFailure(error, 'Detached')) throw error;
    await cancelRun(temporal.client, planning.workflowId);
    throw given(lane);
  }
}

function given(lane: string): Failure {
  return new Failure('Cancelled', `the restore of lane ${lane} was not started`, { lane });
}

/** Shows the plan and asks; the bundle of the plan is then the one that is restored, whatever is written meanwhile. */
async function agreedBundle(restoring: Restoring, options: Options, context: PlanContext): Promise<string | undefined> {
  const { cli, lane } = restoring;
  if (options.undo) {
    cli.note(
      `The last restore of lane ${lane} is undone: its gateway stops, the replaced trees, plist and Keychain items come back, and it starts again.`,
    );
    if (await askYesNo(cli, `Undo the last restore of ${lane} now?`)) return undefined;
    throw given(lane);
  }
  const { plan } = await makePlan(restoring, options);
  if (!plan) throw new Failure('Unexpected', `the plan of lane ${lane} is empty`, { lane });
  cli.note(`\n${planText(plan, context)}\n`);
  cli.note('Its gateway stops for the swap. Until the commit every failure leads back to what is there now; after it,');
  cli.note(`\`./clawback restore ${lane} --undo\` does, for 7 days.`);
  if (await askYesNo(cli, `Restore ${lane} now?`)) return plan.bundle;
  throw given(lane);
}

async function run(
  { cli, temporal, fleet, lane }: Restoring,
  options: Options,
  bundle: string | undefined,
): Promise<RestoreResult & { readonly workflowId: string }> {
  const { at, only, layered = false, sandbox, undo = false, acceptRunning = false } = options;
  const { pin = false, stopFirst = false } = options;
  // the version that runs now is the one to be left
  const acceptVersion = options.acceptVersion === true || pin;
  const choice = undo
    ? {}
    : {
        bundle,
        archive: bundle === undefined ? options.fromArchive : undefined,
        acceptRunning,
        at: bundle === undefined ? at : undefined,
        only,
        layered,
        into: sandbox ? ('sandbox' as const) : ('live' as const),
        pin,
        stopFirst,
      };
  const started = await startRestore(temporal.client, { lane, ...choice, undo, acceptVersion });
  cli.markStarted();
  sayHowToFollow(cli, started.workflowId);
  const result = await follow(cli, temporal, {
    run: started,
    fleet,
    lane,
    title: `${undo ? 'undo' : 'restore'} ${lane}`,
  });
  return { workflowId: started.workflowId, ...result };
}

function planOutcome(result: RestoreResult & { readonly workflowId: string }, context: PlanContext): Outcome {
  const plan: RestorePlan | null = result.plan;
  return { json: { ...result }, text: plan ? `${planText(plan, context)}\nNothing was changed.` : restoreText(result) };
}

export function restoreOutcome(result: RestoreResult & { readonly workflowId: string }): Outcome {
  const expectsAnswer = result.into === 'live' || result.into === 'undo';
  const text = restoreText(result);
  if (expectsAnswer && !result.messageAnswered) return { json: { ...result }, text, exit: 'attention' };
  return { json: { ...result }, text, exit: result.rtoMs > result.rtoBudgetMs ? 'budget' : 'ok' };
}
