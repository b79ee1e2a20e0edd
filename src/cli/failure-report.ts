// How a failure is told: message and hint, the lane's state, the next command. The same as one object under --json.

import { Failure, failureTable } from '../domain/failure.ts';
import type { Cli, Stake } from './cli.ts';
import { nextCommand } from './next-command.ts';
import { type LaneState, probeLanes } from './lane-probe.ts';
import { laneLine } from './lane-text.ts';

export interface FailureReport {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** The command to type next. */
  readonly next: string;
  /** Of the lane at stake: its state, or that nothing was started. */
  readonly lane?: LaneState | { readonly lane: string; readonly untouched: true };
  readonly workflowId?: string;
}

/** @param command the command that failed, without arguments */
export async function reportFailure(cli: Cli, failure: Failure, command: string): Promise<FailureReport> {
  const { code, message, context } = failure;
  const lane = cli.stake && (await stateOf(cli.stake, failure));
  return {
    ok: false,
    code,
    message,
    hint: failureTable[code].hint,
    next: nextCommand({ code, context, lane: cli.stake?.lane ?? context.lane, command }),
    ...(lane && { lane }),
    ...(context.workflowId !== undefined && { workflowId: context.workflowId }),
  };
}

/** A follower that detached knows that things go on: no state of a moment is told then. */
async function stateOf({ fleet, lane, started }: Stake, { code }: Failure): Promise<FailureReport['lane']> {
  if (code === 'Detached') return undefined;
  if (!started) return { lane, untouched: true };
  const [state] = await probeLanes(fleet, [lane]);
  return state;
}

export function failureText(cli: Cli, { code, message, hint, lane, next, workflowId }: FailureReport): string {
  if (code === 'Detached')
    return [message, `  ${next}  shows it again`, `  ./clawback cancel ${workflowId}  ends it`].join('\n');
  return [
    `${cli.paint('red', 'error:')} ${message}`,
    `HINT: ${hint}`,
    ...(lane ? ['untouched' in lane ? `lane ${lane.lane}: nothing was started, it is as it was` : laneLine(lane)] : []),
    `next: ${cli.paint('bold', next)}`,
  ].join('\n');
}

/** What is no Failure is a defect of ours: its class and place are told. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (!(error instanceof Error)) return new Failure('Unexpected', 'something other than an error was thrown');
  const place = /\bsrc\/[\w/.-]+:\d+/.exec(error.stack ?? '')?.[0] ?? 'an unknown place';
  return new Failure('Unexpected', `${error.name} at ${place}: ${error.message}`, {}, { cause: error });
}
