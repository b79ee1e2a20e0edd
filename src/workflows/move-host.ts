// Brings the lanes of one lost host back on another, in the order that keeps two gateways with the same tokens apart: a
// machine that can take them, the lost one fenced, accounts and OpenClaw, the placement that every operation follows, and
// only then the restores. What does not come back is where the fleet file says, as before.

import {
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { FleetLaneRow, FleetResult } from '../contract/fleet-run.ts';
import type { LaneRecovery } from '../contract/incident-state.ts';
import { workflowNames } from '../contract/names.ts';
import type { PlacedHost } from '../contract/placement.ts';
import { codeOf, messageOf } from './failures.ts';
import { startGate } from './loss-gate.ts';
import { hasStep, keyOf, lanesOf, type Move, reachOf, stepOf } from './loss-move.ts';
import { place, withdraw, withdrawUnrestored } from './loss-placement.ts';
import { install, prepare, targetOf } from './loss-target.ts';
import { host } from './steps.ts';

export interface Moved {
  readonly rows: readonly LaneRecovery[];
  readonly remarks: readonly string[];
  /** For fleet.yaml, and what is left to do by hand. */
  readonly followUp: readonly string[];
}

/** Never throws for a host's sake, so that one host's failure stops no other; a cancellation is passed on. */
export async function moveHost(move: Move): Promise<Moved> {
  const lanes = lanesOf(move);
  const remarks: string[] = [];
  let on: PlacedHost | undefined;
  try {
    const target = await targetOf(move);
    await move.desk.part(stepOf(move, 'look at it'), () => prepare(move, target, true));
    remarks.push(await fence(move));
    await move.desk.part(stepOf(move, 'prepare'), () => prepare(move, target, false));
    remarks.push(...(await install(move, target)));
    await place(move, target);
    on = target;
    const rows = await restoreThere(move, target);
    const back = rows.filter(isBack).map(({ lane }) => lane);
    await withdraw(
      move,
      lanes.filter((lane) => !back.includes(lane)),
    );
    if (back.length === 0) return { rows, remarks, followUp: [] };
    remarks.push(...(await switchDns(move, target, back)));
    remarks.push(...(await startGate(move, target.host)));
    return { rows, remarks, followUp: await followUp(move, target, back) };
  } catch (error) {
    if (on !== undefined) await CancellationScope.nonCancellable(() => withdrawUnrestored(move, lanes));
    if (isCancellation(error)) throw error;
    return { rows: lanes.map((lane) => untouched(move, lane, error)), remarks, followUp: [] };
  }
}

/** Before anything is started elsewhere; what the approval waived is said in capitals. */
async function fence(move: Move): Promise<string> {
  const { lost, desk, hands, plan } = move;
  const phase = `fencing ${lost.host}`;
  if (desk.state.approval?.waiveFence) {
    const told = `UNFENCED: ${lost.host} was not fenced, its approval by ${desk.state.approval.by} waived that`;
    desk.warn(told);
    return told;
  }
  return desk.part({ step: 'fence', phase }, async () => {
    const ask = (why: string): Promise<unknown> =>
      hands.ask('fence', `${why}power ${lost.host} (${lost.address}) off, or revoke its channel tokens`);
    if (!hasStep(move, 'fence')) {
      await ask('');
      return `${lost.host} was fenced by hand`;
    }
    const input = { host: lost.host, address: lost.address, region: lost.region, lanes: lanesOf(move) };
    try {
      const { fenced } = await hands.runHook({ hook: 'fence', key: keyOf(move, 'fence'), input });
      return `${lost.host} is fenced: ${fenced}`;
    } catch (error) {
      if (isCancellation(error)) throw error;
      desk.warn(`the fence hook failed: ${codeOf(error) ?? messageOf(error)} (plan ${plan.digest.slice(0, 12)}…)`);
      await ask('the fence hook failed: ');
      return `${lost.host} was fenced by hand, after the hook had failed`;
    }
  });
}

async function restoreThere(move: Move, { host: name }: PlacedHost): Promise<LaneRecovery[]> {
  const { desk, plan, lost } = move;
  const planned = plan.lanes.filter((lane) => lane.host === lost.host);
  const bundles = Object.fromEntries(planned.flatMap(({ lane, bundle }) => (bundle === null ? [] : [[lane, bundle]])));
  const { workflowId, runId } = workflowInfo();
  const input = { lanes: planned.map(({ lane }) => lane), bundles, layered: true, waitMs: desk.input.waitMs ?? 0 };
  const part = { step: 'restore', phase: `restoring ${input.lanes.join(', ')} onto ${name}` };
  const result = await desk.part(part, () =>
    executeChild<(input: unknown) => Promise<FleetResult>>(workflowNames.restoreFleet, {
      workflowId: `${workflowId}/restore/${lost.host}/${runId.slice(-8)}`,
      args: [input],
      staticSummary: `restore the lanes of ${lost.host} onto ${name}`,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      workflowTaskTimeout: '5s',
    }),
  );
  return result.lanes.map((row) => recoveryOf(row, result.startedAt));
}

const outcomes = { ok: 'recovered', attention: 'attention', failed: 'failed', cancelled: 'failed' } as const;

function recoveryOf(row: FleetLaneRow, startedAt: string): LaneRecovery {
  const { lane, host: on, bundle, workflowId, remarks, code, message, rtoMs } = row;
  const answeredAt = rtoMs === null ? null : new Date(Date.parse(startedAt) + rtoMs).toISOString();
  return { lane, host: on, bundle, workflowId, remarks, code, message, answeredAt, outcome: outcomes[row.outcome] };
}

function isBack({ outcome }: LaneRecovery): boolean {
  return outcome === 'recovered' || outcome === 'attention';
}

function untouched({ plan, lost }: Move, lane: string, error: unknown): LaneRecovery {
  const bundle = plan.lanes.find((one) => one.lane === lane)?.bundle ?? null;
  const code = codeOf(error) ?? 'Unexpected';
  const base = { lane, host: lost.host, bundle, workflowId: null, answeredAt: null, remarks: [] };
  return { ...base, outcome: 'untouched', code, message: messageOf(error) };
}

/** The lanes answer by now: what fails from here on is told, and undoes nothing. */
async function switchDns(move: Move, on: PlacedHost, lanes: readonly string[]): Promise<string[]> {
  const names = lanes.join(', ');
  let target = on.host;
  try {
    const { address } = await reachOf(move, on);
    target = address;
    if (hasStep(move, 'dns')) {
      const input = { host: on.host, address, lanes: [...lanes] };
      await move.hands.runHook({ hook: 'dns', key: keyOf(move, 'dns'), input });
      return [`names of ${names} point at ${address}`];
    }
  } catch (error) {
    if (isCancellation(error)) throw error;
    move.desk.warn(`names were not switched: ${codeOf(error) ?? messageOf(error)}`);
  }
  return [`BY HAND: point the names of ${names} at ${target}`];
}

async function followUp({ lost, desk }: Move, on: PlacedHost, lanes: readonly string[]): Promise<string[]> {
  const heading = 'change these lines of fleet.yaml, and restart the workers:';
  try {
    const { fleetLines } = await host.readMoved({ lostHost: lost.host, lanes, on });
    return [heading, ...fleetLines];
  } catch (error) {
    if (isCancellation(error)) throw error;
    desk.warn(`the lines for fleet.yaml could not be told: ${codeOf(error) ?? messageOf(error)}`);
    return [`${heading} \`./clawback host moved ${lost.host}\` shows them`];
  }
}
