// After a lost host: the 7-day gate of the one that took over (procedure, "total host loss"). It outlives the incident, and
// its start is no part of the recovery: the lanes answer by now.

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ChildWorkflowCancellationType, isCancellation, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { gateId, searchAttributes, workflowNames } from '../contract/names.ts';
import { codeOf, messageOf } from './failures.ts';
import { hasStep, type Move } from './loss-move.ts';

/** What there is to tell of it, where the plan says that it is started. */
export async function startGate(move: Move, host: string): Promise<string[]> {
  const { desk, lost } = move;
  if (!hasStep(move, 'gate')) return [];
  try {
    await startChild(workflowNames.qualifyHost, {
      workflowId: gateId(desk.brief.fleet, host),
      args: [{ host }],
      staticSummary: `7-day gate of ${host}, which has the lanes of ${lost.host}`,
      typedSearchAttributes: [{ key: searchAttributes.host, value: host }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      workflowTaskTimeout: '5s',
    });
    return [`the 7-day gate of ${host} has begun: \`./clawback gate status ${host}\``];
  } catch (error) {
    if (isCancellation(error)) throw error;
    if (error instanceof WorkflowExecutionAlreadyStartedError)
      return [`a gate of ${host} runs already: it goes back to day 1 for its new lanes`];
    desk.warn(
      `the gate of ${host} was not started (${codeOf(error) ?? messageOf(error)}): ./clawback gate start ${host}`,
    );
    return [];
  }
}
