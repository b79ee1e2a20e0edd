// `gate start|status|retry|sign|abandon HOST`: the 7-day gate before a monthly rent is signed.

import { userInfo } from 'node:os';
import { Command } from 'commander';
import { abandonGate, type GateOf, readGate, retryGateDay, signGate, startGate } from '../../client/gate.ts';
import type { Temporal } from '../../client/connection.ts';
import { readMoved } from '../../client/moved.ts';
import type { GateState } from '../../contract/gate.ts';
import { Failure } from '../../domain/failure.ts';
import { gateLimits } from '../../domain/gate-limits.ts';
import { gateText as gateStatement, shownOf } from '../../domain/statements.ts';
import { canonicalSha256 } from '../../signing/canonical.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { warnOfMissingWorkers } from '../follow.ts';
import { gateExit, gateText } from '../gate-text.ts';
import { parseDuration, parseGateDay, parseHost } from '../parse.ts';
import { type SigningOptions, signWord, withSigning } from '../sign-statement.ts';

export function gateCommand(cli: Cli): Command {
  return new Command('gate')
    .usage('COMMAND')
    .description('the 7-day gate of a host, before its monthly rent is signed')
    .addCommand(startCommand(cli))
    .addCommand(statusCommand(cli))
    .addCommand(retryCommand(cli))
    .addCommand(signCommand(cli))
    .addCommand(abandonCommand(cli));
}

const gateFields = [
  '`gate`: the workflow; `runId`: its first run; `host`, `fleet`, `lanes`; `phase`: running, signed, abandoned or cancelled; `day`; `doing`',
  '`rows`: of each day, 0 (readiness) to 7: `day`, `action`, `passes`, `state` (waiting, running, passed, failed, not-applicable), `attempts`, `dueAt`, `startedAt`, `endedAt`, `evidence`, `code`, `message`, `advice`',
  '`dayLengthMs`: null, or of a demonstration; `timeZone`; `looks` at the disk: `taken`, `expected`',
  '`archives`: of each `day`, `lane`, `bundle`, `key`, `manifestSha256`; `rto`: `ms`, `budgetMs`; `rpo`: of each class the oldest lane',
  '`rearmed`: what sent it back to day 1: `at`, `why`; `signed`: `by`, `at`, `how` (`signed`, `stated`); `abandoned`; `receipt`; `warnings`; `next`',
] as const;

const host = ['<HOST>', 'the host, as fleet.yaml names it', parseHost('HOST')] as const;

/** Who types this, unless it is said: the caller's own statement. */
function caller(): string {
  return userInfo().username;
}

function startCommand(cli: Cli): Command {
  const command = new Command('start')
    .description('begin the gate: a readiness check, then seven days by the calendar of the node')
    .argument(...host)
    .option(
      '--day-length <TIME>',
      'short days, for a demonstration, which proves nothing about a rent: 10s',
      parseDuration('--day-length'),
    )
    .action(cli.action((name: string, options: { readonly dayLength?: number }) => start(cli, name, options)));
  return documented(command, {
    examples: ['./clawback gate start mac-1', './clawback gate start mac-1 --day-length 10s'],
    json: ['`workflowId`: the gate; `host`'],
    notes: [
      'Exit status 3 while a gate of the host runs. Its drill on day 5 stops and restores every lane of the host.',
    ],
  });
}

async function start(cli: Cli, name: string, { dayLength }: { readonly dayLength?: number }): Promise<Outcome> {
  if (dayLength !== undefined && dayLength < gateLimits.shortestDayMs)
    throw new Failure('InvalidInput', `--day-length is at least ${gateLimits.shortestDayMs / 1000} s`, {
      field: '--day-length',
    });
  const of = await gateOf(cli, name);
  return cli.withTemporal(async (temporal) => {
    await warnOfMissingWorkers(cli, temporal, 'any');
    await requireLanes(cli, temporal, of);
    const workflowId = await startGate(temporal.client, of, dayLength);
    return {
      json: { workflowId, host: name },
      text: `${workflowId} has begun; \`./clawback gate status ${name}\` shows its days`,
    };
  });
}

/** Any host: one that took the lanes of a lost one over has none in the fleet file yet. */
async function gateOf(cli: Cli, name: string): Promise<GateOf> {
  const file = await cli.loadFleet();
  return { fleet: file.fleet.fleet, host: name };
}

/** Before anything is started: lanes in the file, or put there by a recovery. UnknownLane. */
async function requireLanes(cli: Cli, { client }: Temporal, { fleet, host: name }: GateOf): Promise<void> {
  const hosts = (await cli.loadFleet()).scheduleHosts().map((one) => one.host);
  if (hosts.includes(name)) return;
  const moved = await Promise.allSettled(hosts.map((lost) => readMoved(client, fleet, lost)));
  if (moved.some((one) => one.status === 'fulfilled' && one.value.on.host === name)) return;
  throw new Failure('UnknownLane', `fleet ${fleet} has no lane on a host ${name}`, { host: name });
}

function statusCommand(cli: Cli): Command {
  const command = new Command('status')
    .description('its days: what is done, when it passes, where it stands, what was seen')
    .argument(...host)
    .action(cli.action((name: string) => told(cli, name, readGate)));
  return documented(command, {
    examples: ['./clawback gate status mac-1', './clawback --json gate status mac-1'],
    json: gateFields,
    notes: ['Exit status 5 when a day has failed, 4 when the gate ended unsigned, 3 when there is none.'],
  });
}

async function told(
  cli: Cli,
  name: string,
  work: (client: Temporal['client'], of: GateOf) => Promise<GateState>,
): Promise<Outcome> {
  const of = await gateOf(cli, name);
  return cli.withTemporal(async ({ client }) => {
    const state = await work(client, of);
    return { json: { ...state }, text: gateText(state), exit: gateExit(state) };
  });
}

function retryCommand(cli: Cli): Command {
  const command = new Command('retry')
    .description('try a failed day again, after what it advised was done')
    .argument(...host)
    .requiredOption('--day <DAY>', 'the failed day; 0 is the readiness check', parseGateDay('--day'))
    .option('--by <NAME>', 'who says so (default: the account)')
    .action(
      cli.action((name: string, { day, by = caller() }: { readonly day: number; readonly by?: string }) =>
        told(cli, name, (client, of) => retryGateDay(client, of, { day, by })),
      ),
    );
  return documented(command, {
    examples: ['./clawback gate retry mac-1 --day 4'],
    json: gateFields,
    notes: ['Exit status 3 for a day that has not failed. Day 2 begins 72 hours of looks at the disk anew.'],
  });
}

interface SignOptions extends SigningOptions {
  readonly by: string;
}

/** Over what the gate has shown by now: where a day changes after this, it is a signature of something else. */
async function sign(
  cli: Cli,
  client: Temporal['client'],
  of: GateOf,
  { by, ...options }: SignOptions,
): Promise<GateState> {
  const { playbooks } = (await cli.loadFleet()).fleet;
  const approvers = playbooks.approvers.map(({ name }) => name);
  const shown = shownOf(await readGate(client, of));
  const statement = {
    workflowId: shown.gate,
    runId: shown.runId,
    host: shown.host,
    digest: canonicalSha256(shown),
    by,
  };
  const word = await signWord(cli, { ...options, by, approvers, option: '--by' }, (expires) =>
    gateStatement({ ...statement, expires }),
  );
  return signGate(client, of, { by, ...word });
}

function signCommand(cli: Cli): Command {
  const plain = new Command('sign')
    .description('sign the gate on day 7: its receipt is written, and the rent may go monthly')
    .argument(...host)
    .requiredOption('--by <NAME>', 'who signs; one of `playbooks.approvers` where fleet.yaml lists any');
  const command = withSigning(plain).action(
    cli.action((name: string, options: SignOptions) => told(cli, name, (client, of) => sign(cli, client, of, options))),
  );
  return documented(command, {
    examples: ['./clawback gate sign mac-1 --by Ada'],
    json: gateFields,
    notes: [
      'Where `playbooks.approvers` of fleet.yaml lists keys, it is an SSH signature (`ssh-keygen -Y sign`, namespace `clawback`) over the days and archives of this gate, its run and an expiry. Else the name is recorded as the statement of whoever typed it. The receipt says which.',
      'Exit status 3 when it is too early, when a day has failed, or when the host has changed: then it goes back to day 1.',
    ],
  });
}

function abandonCommand(cli: Cli): Command {
  const command = new Command('abandon')
    .description('end the gate unsigned; what it does just now is put right first')
    .argument(...host)
    .requiredOption('--reason <TEXT>', 'why; it stands in the receipt')
    .option('--by <NAME>', 'who says so (default: the account)')
    .action(
      cli.action((name: string, { by = caller(), reason }: { readonly by?: string; readonly reason: string }) =>
        told(cli, name, (client, of) => abandonGate(client, of, { by, reason })),
      ),
    );
  return documented(command, {
    examples: ['./clawback gate abandon mac-1 --reason unrenewed'],
    json: gateFields,
  });
}
