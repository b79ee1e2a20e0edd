// `host replace | moved | gone`: the loss of a host by hand, step by step in the same incident, and what is left to do.

import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { Temporal } from '../../client/connection.ts';
import { openIncident, readIncident, tellIncident } from '../../client/incidents.ts';
import { readMoved, tellGone } from '../../client/moved.ts';
import type { IncidentState } from '../../contract/incident-state.ts';
import type { HandDoneInput } from '../../contract/incidents.ts';
import type { MovedState } from '../../contract/placement.ts';
import { handText } from '../../domain/statements.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { followIncident, ownName } from '../follow-incident.ts';
import { parseLane, parseOneOf } from '../parse.ts';
import { type SigningOptions, signWord, withSigning } from '../sign-statement.ts';
import { incidentFields } from './recover.ts';

const handSteps = ['fence', 'install'] as const;

interface Options extends SigningOptions {
  readonly done?: (typeof handSteps)[number];
  readonly address?: string;
  readonly port?: string;
  readonly user?: string;
  readonly hostKey?: string;
  readonly yes?: true;
  readonly as?: string;
}

export function hostCommand(cli: Cli): Command {
  const command = new Command('host').description(
    'a host that was lost: replace it by hand, and see what is left to do',
  );
  for (const one of [replaceCommand(cli), movedCommand(cli), goneCommand(cli)]) command.addCommand(one);
  return command;
}

const hostArgument = ['<HOST>', 'the lost host, as fleet.yaml names it', parseLane('HOST')] as const;

function replaceCommand(cli: Cli): Command {
  const plain = new Command('replace')
    .description(
      'replace a lost host: says each step that is to be done by hand, and goes on when it is told that it was',
    )
    .argument(...hostArgument)
    .option('--address <ADDRESS>', 'of the new Mac: host name or IP address')
    .option('--host-key <KEY>', 'of the new Mac, as `ssh-keyscan` prints it after the address')
    .option('--port <PORT>', 'of SSH on the new Mac (default: 22)')
    .option('--user <ACCOUNT>', 'that SSH logs in as there (default: as on the lost host)')
    .option('--done <STEP>', `a step that was done by hand: ${handSteps.join(', ')}`, parseOneOf('--done', handSteps))
    .option('--yes', 'approve the plan without a question')
    .option('--as <NAME>', 'who says so (default: the account on this machine)');
  const command = withSigning(plain).action(
    cli.action((host: string, options: Options) => replace(cli, host, options)),
  );
  return documented(command, {
    examples: [
      './clawback host replace mac-1',
      './clawback host replace mac-1 --address 192.0.2.9 --host-key "$HOST_KEY"',
      './clawback host replace mac-1 --done fence',
    ],
    json: incidentFields,
    notes: [
      'It opens the incident host-loss of this host, or goes on with the one that is open; hooks of fleet.yaml are used where there are any. Exit status 5 when it waits for an approval or for a step: `hand` says which.',
      'Where `playbooks.approvers` of fleet.yaml lists keys, what was done by hand is signed like an approval (`--as`, `--key`), over the step, what was asked, the machine that was brought, the run and an expiry; `hands` and the receipt say whose word it is.',
    ],
  });
}

async function replace(cli: Cli, subject: string, options: Options): Promise<Outcome> {
  const { fleet } = await cli.loadFleet();
  return cli.withTemporal(async (temporal) => {
    const scenario = 'host-loss';
    const request = { fleet: fleet.fleet, scenario, subject, input: { host: subject }, dryRun: false } as const;
    const { handle } = await openIncident(temporal.client, request);
    const follow = { incident: handle.workflowId, yes: options.yes === true, as: options.as };
    const outcome = await followIncident(cli, temporal, follow);
    const state = await readIncident(temporal.client, handle.workflowId);
    const done = state.endedAt === null ? answerTo(state, options) : undefined;
    if (done === undefined) return withHelp(outcome, state, subject);
    await tellDone(temporal, state, { ...done, ...(await signed(cli, state, done, options)) });
    const after = await followIncident(cli, temporal, follow);
    return withHelp(after, await readIncident(temporal.client, handle.workflowId), subject);
  });
}

/** What the options say of the step that it waits for; undefined when they say nothing of that one. */
function answerTo({ hand }: IncidentState, options: Options): HandDoneInput | undefined {
  const by = options.as ?? ownName();
  const { address, hostKey, port, user, done } = options;
  if (hand === null) return undefined;
  if (hand.step === 'provision')
    return address === undefined || hostKey === undefined
      ? undefined
      : { step: 'provision', by, address, hostKey, user, port: port === undefined ? undefined : Number(port) };
  return hand.step === done ? { step: done, by } : undefined;
}

/** With approvers in the fleet file what was done by hand is signed, too. */
function signed(
  cli: Cli,
  { incident: workflowId, runId, hand, approvers }: IncidentState,
  { by, ...told }: HandDoneInput,
  options: Options,
): Promise<Partial<HandDoneInput>> {
  const statement = { workflowId, runId, what: hand?.what ?? '', by, ...told };
  return signWord(cli, { ...options, by, approvers, option: '--as' }, (expires) => handText({ ...statement, expires }));
}

/** Returns when the incident has taken it: a step that is asked for again was not right. */
async function tellDone(
  { client }: Temporal,
  { incident, warnings }: IncidentState,
  done: HandDoneInput,
): Promise<void> {
  await tellIncident(client, incident, ['handDone', done]);
  for (let look = 0; look < 50; look += 1) {
    const now = await readIncident(client, incident);
    if (now.hand?.step !== done.step || now.warnings.length > warnings.length) return;
    await sleep(200);
  }
}

const howTo = {
  provision: '--address ADDRESS --host-key "$HOST_KEY"',
  fence: '--done fence',
  install: '--done install',
} as const;

function withHelp(outcome: Outcome, { hand }: IncidentState, subject: string): Outcome {
  const words = hand !== null && hand.step in howTo ? howTo[hand.step as keyof typeof howTo] : undefined;
  if (words === undefined) return outcome;
  return { ...outcome, text: `${outcome.text}\nwhen it is done: ./clawback host replace ${subject} ${words}` };
}

const movedFields = [
  '`lostHost`, `lanes`, `on` (`host`, and `record` of a host that is not in fleet.yaml), `incident`',
  '`lost`: `silent` (not seen since), `stopped` (it came back; its gateways are stopped and disabled), `foreign` (another machine at its address: left alone), `gone`',
  '`inFleetFile`; `fleetLines`: what is to stand in fleet.yaml',
] as const;

function movedCommand(cli: Cli): Command {
  const command = new Command('moved')
    .description('where the lanes of a lost host are, and the lines that fleet.yaml lacks')
    .argument(...hostArgument)
    .action(
      cli.action(async (host: string) => {
        const { fleet } = await cli.loadFleet();
        return cli.withTemporal(async ({ client }) => movedOutcome(await readMoved(client, fleet.fleet, host)));
      }),
    );
  return documented(command, {
    examples: ['./clawback host moved mac-1'],
    json: movedFields,
    notes: ['Exit status 5 while fleet.yaml of the workers does not say so.'],
  });
}

function goneCommand(cli: Cli): Command {
  const command = new Command('gone')
    .description('say that a lost host never comes back: it is waited for no longer')
    .argument(...hostArgument)
    .option('--as <NAME>', 'who says so (default: the account on this machine)')
    .action(
      cli.action(async (host: string, { as }: { readonly as?: string }) => {
        const { fleet } = await cli.loadFleet();
        const by = as ?? ownName();
        return cli.withTemporal(async ({ client }) => movedOutcome(await tellGone(client, fleet.fleet, host, by)));
      }),
    );
  return documented(command, { examples: ['./clawback host gone mac-1'], json: movedFields });
}

function movedOutcome(state: MovedState): Outcome {
  const { lostHost, lanes, on, lost, inFleetFile, fleetLines } = state;
  const told = inFleetFile
    ? ['fleet.yaml of the workers says so']
    : ['fleet.yaml does not say so yet: change these lines, and restart the workers', ...fleetLines];
  return {
    json: { ...state },
    text: [`lanes ${lanes.join(', ')} of ${lostHost} are on ${on.host}; ${lostHost} is ${lost}`, ...told].join('\n'),
    exit: inFleetFile ? 'ok' : 'attention',
  };
}
