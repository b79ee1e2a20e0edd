// A gate under fault, from its readiness to its second day by the calendar: there it is abandoned. A day that failed is
// tried again, as the operator would.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { abandonGate, type GateOf, readGate, retryGateDay, startGate } from '../../src/client/gate.ts';
import type { GateState } from '../../src/contract/gate.ts';
import { gateId } from '../../src/contract/names.ts';
import { outcomeOf, type Running, type Stage } from './stage.ts';

export async function gateRun({ rig, lane: { host } }: Stage): Promise<Running> {
  const of = { fleet: 'bed', host };
  const workflowId = await startGate(rig.rig.client, of);
  const { runId } = await rig.rig.client.workflow.getHandle(workflowId).describe();
  const outcome = async (): Promise<string> => {
    const failed = await toSecondDay(rig.rig.client, of);
    // one that has ended by itself refuses, and its result tells why
    await abandonGate(rig.rig.client, of, { by: 'ada', reason: 'a fault was tried' }).catch(() => undefined);
    const ended = await outcomeOf<GateState>(rig.rig.client.workflow.getHandle(workflowId), toldBy);
    return ended === 'completed' && failed !== undefined ? `failed:${failed}` : ended;
  };
  const broken = async (): Promise<string[]> => {
    const { phase } = await readGate(rig.rig.client, of);
    return phase === 'abandoned' ? [] : [`the gate ended by itself: ${phase}`];
  };
  return { workflowId, runId, outcome, broken };
}

function toldBy({ phase, receipt, warnings }: GateState): string | undefined {
  if (phase !== 'abandoned') return `ended:${phase}`;
  return warnings[0] === undefined && receipt !== null ? undefined : `told:${warnings[0]?.slice(0, 60)}`;
}

/** @returns the code that a day failed with, before it was tried again */
async function toSecondDay(client: Client, of: GateOf): Promise<string | undefined> {
  let failed: string | undefined;
  for (;;) {
    // a worker that dies does not answer a query
    const state = await readGate(client, of).catch(() => undefined);
    if (await isOver(client, of)) return failed;
    const row = state?.rows.find((one) => one.state === 'failed');
    if (row !== undefined) {
      failed = row.code ?? 'Unexpected';
      await retryGateDay(client, of, { day: row.day, by: 'ada' });
    }
    if (state?.day === 2) return failed;
    await sleep(300);
  }
}

async function isOver(client: Client, { fleet, host }: GateOf): Promise<boolean> {
  const { status } = await client.workflow.getHandle(gateId(fleet, host)).describe();
  return status.name !== 'RUNNING' && status.name !== 'CONTINUED_AS_NEW';
}
