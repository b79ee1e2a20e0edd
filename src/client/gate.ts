// The 7-day gate of a host, from outside: start it, ask where it stands, tell it what somebody has decided.

import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { AbandonGateInput, GateState, RetryDayInput, SignGateInput } from '../contract/gate.ts';
import { gateMessages } from '../contract/gate.ts';
import { gateId, queues, workflowNames } from '../contract/names.ts';
import { Failure } from '../domain/failure.ts';
import { fromCause, toFailure } from './failures.ts';

/** Whose gate. */
export interface GateOf {
  readonly fleet: string;
  readonly host: string;
}

/** @returns the workflow's id. GateRefused while one runs */
export async function startGate(client: Client, { fleet, host }: GateOf, dayLengthMs?: number): Promise<string> {
  const workflowId = gateId(fleet, host);
  try {
    await client.workflow.start(workflowNames.qualifyHost, {
      taskQueue: queues.host,
      workflowId,
      args: [{ host, ...(dayLengthMs === undefined ? {} : { dayLengthMs }) }],
      staticSummary: `7-day gate of ${host}`,
      workflowTaskTimeout: '5s',
    });
    return workflowId;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw toFailure(error);
    throw new Failure('GateRefused', `the gate of host ${host} is running`, { host, workflowId });
  }
}

/** Where it stands, also when it is over; a worker has to be there. GateRefused when there was never one. */
export async function readGate(client: Client, of: GateOf): Promise<GateState> {
  return asked(of, () => handleOf(client, of).query<GateState, []>(gateMessages.gate));
}

/** @returns the signed state. GateRefused when it is too early, a day has failed, or the host has changed */
export function signGate(client: Client, of: GateOf, input: SignGateInput): Promise<GateState> {
  return tell(client, of, gateMessages.sign, input);
}

/** GateRefused for a day that has not failed. */
export function retryGateDay(client: Client, of: GateOf, input: RetryDayInput): Promise<GateState> {
  return tell(client, of, gateMessages.retryDay, input);
}

/** GateRefused when it is over. */
export function abandonGate(client: Client, of: GateOf, input: AbandonGateInput): Promise<GateState> {
  return tell(client, of, gateMessages.abandon, input);
}

function tell(client: Client, of: GateOf, message: string, input: object): Promise<GateState> {
  return asked(of, () => handleOf(client, of).executeUpdate<GateState, [object]>(message, { args: [input] }));
}

function handleOf(client: Client, { fleet, host }: GateOf): WorkflowHandle {
  return client.workflow.getHandle(gateId(fleet, host));
}

async function asked(of: GateOf, ask: () => Promise<GateState>): Promise<GateState> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw new Failure('GateRefused', `no gate of host ${of.host} is running`, { host: of.host });
    if (error instanceof WorkflowUpdateFailedError) throw fromCause(error.cause);
    throw toFailure(error);
  }
}
