// The 7-day gate of a host: one workflow id over seven days, continued as new each day with what it has to carry. It is
// never signed early, nor over a failed day; another machine, another OpenClaw or other lanes send it back to day 1.

import { workflowInfo } from '@temporalio/workflow';
import { type GateState, QualifyHostInput } from '../contract/gate.ts';
import { workflowFailure } from './failures.ts';
import { Gate } from './gate.ts';
import { parseInput } from './input.ts';

export async function qualifyHost(raw: unknown): Promise<GateState> {
  const input = parseInput(QualifyHostInput, raw);
  requireOwnId(input);
  return new Gate(input).whole();
}

/** The id is what keeps a second gate of a host from running; and nobody hands over days that were never passed. */
function requireOwnId({ host, carried }: QualifyHostInput): void {
  const { workflowId, continuedFromExecutionRunId } = workflowInfo();
  const [kind, fleet = '', name, ...more] = workflowId.split('/');
  if (kind !== 'gate' || fleet === '' || name !== host || more.length > 0) {
    const message = `the gate of host ${host} has the workflow id gate/FLEET/${host}, this is ${workflowId.slice(0, 200)}`;
    throw workflowFailure('InvalidInput', message, { field: 'workflowId' });
  }
  if (carried !== undefined && continuedFromExecutionRunId === undefined)
    throw workflowFailure('InvalidInput', 'carried: only a gate hands over to itself', { field: 'carried' });
}
