// Playbook "disk full" (procedure): removes class 3 of every lane of the host, where the profile says that it lies, and
// nothing else. It touches no data, so that it acts alone; without a good backup it asks first all the same.

import { inParallel } from './in-parallel.ts';
import type { IncidentState, LaneRecovery, IncidentOutcome, PruneResult } from '../contract/incident-state.ts';
import type { RecoveryPlan } from '../contract/incident-plan.ts';
import { recoverInputs } from '../contract/incidents.ts';
import { formatBytes } from '../domain/quantity.ts';
import { enterSection, resolveLane } from './enter-section.ts';
import { codeOf, messageOf, workflowFailure } from './failures.ts';
import { type Playbook, runIncident } from './incident.ts';
import type { IncidentDesk } from './incident-desk.ts';
import { parseInput } from './input.ts';
import { isCancellation } from '@temporalio/workflow';
import { host, vault } from './steps.ts';

export async function recoverDiskFull(raw: unknown): Promise<IncidentState> {
  const { host: subject, ...common } = parseInput(recoverInputs['disk-full'], raw);
  const playbook: Playbook = {
    scenario: 'disk-full',
    subject,
    plan: async ({ brief: { lanes } }) => ({
      steps: [
        ...lanes.map(({ lane }) => ({
          step: 'prune',
          what: 'remove what is rebuilt by itself (class 3: caches, scratch, node_modules beside a lockfile), and nothing else',
          lane,
          host: subject,
        })),
        { step: 'smoke', what: "look at the disk again, and send each lane's gateway a test message", host: subject },
      ],
      lanes: lanes.map(({ lane }) => ({ lane, kept: true })),
      asksWithoutBackup: true,
      fixedMs: 5 * 60_000,
    }),
    run: (plan, desk) => pruneHost(plan, desk),
  };
  return runIncident(playbook, common);
}

interface Pruned {
  readonly lane: string;
  readonly result: PruneResult | null;
  readonly error: unknown;
}

async function pruneHost(plan: RecoveryPlan, desk: IncidentDesk): Promise<IncidentOutcome> {
  const lanes = plan.lanes.map(({ lane }) => lane);
  const prune = (lane: string): Promise<Pruned> => pruneLane(lane, plan, desk);
  const first = await desk.part({ step: 'prune', phase: 'removing class 3' }, () => inParallel(lanes, 8, prune));
  // a lane with half a restore on a full disk is put right first, which takes some room: now there may be some
  const again = first.filter(({ result }) => result === null).map(({ lane }) => lane);
  const second =
    again.length === 0 || again.length === lanes.length
      ? []
      : await desk.part({ step: 'prune', phase: 'removing class 3 once more' }, () => inParallel(again, 8, prune));
  const ended = first.map((one) => second.find(({ lane }) => lane === one.lane) ?? one);
  const looks = await desk.part({ step: 'smoke', phase: 'looking at disk and gateways' }, () =>
    inParallel(ended, 8, (one) => look(one, plan)),
  );
  const used = Math.max(...looks.map(({ usedRatio }) => usedRatio));
  return {
    lanes: looks.map(({ row }) => row),
    escalation: used * 100 < desk.brief.diskFull ? null : escalationOf(used, desk.brief.diskFull),
    remarks: ended.flatMap(({ lane, result }) => (result === null ? [] : [remarkOf(lane, result)])),
    pruned: ended.flatMap(({ result }) => result ?? []),
  };
}

async function pruneLane(lane: string, plan: RecoveryPlan, desk: IncidentDesk): Promise<Pruned> {
  try {
    const resolved = await resolveLane(lane, plan.fleetDigest);
    const waitMs = desk.input.waitMs ?? resolved.waitForLaneMs;
    const operation = { kind: 'prune' } as const;
    const answer = await enterSection({ lane, resolved, operation, waitMs, cancelsBackup: true });
    if (answer.kind !== 'prune') throw workflowFailure('Unexpected', `the section answered ${answer.kind} to a prune`);
    return { lane, result: answer.prune, error: undefined };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { lane, result: null, error };
  }
}

interface Look {
  readonly row: LaneRecovery;
  readonly usedRatio: number;
}

/** A test message on a disk that has room again: it is what shows that the lane works. */
async function look({ lane, result, error }: Pruned, { lanes, fleetDigest }: RecoveryPlan): Promise<Look> {
  const planned = lanes.find((one) => one.lane === lane);
  const base = { lane, host: planned?.host ?? '', bundle: planned?.bundle ?? null, workflowId: null };
  try {
    const { target, messageToken } = await host.describeLane({ lane, fleetDigest });
    const smoke = await vault.smokeTest({ target, messageToken: messageToken ?? null });
    const answeredAt = smoke.answered ? new Date(Date.now()).toISOString() : null;
    const silent = workflowFailure('MessageUnanswered', `lane ${lane} does not answer a test message`, { lane });
    const fault = error ?? (smoke.answered ? undefined : silent);
    return { row: rowOf({ ...base, answeredAt }, fault, result), usedRatio: smoke.diskUsedRatio };
  } catch (broken) {
    if (isCancellation(broken)) throw broken;
    const usedRatio = result === null ? 1 : result.usedAfterRatio;
    return { row: rowOf({ ...base, answeredAt: null }, error ?? broken, result), usedRatio };
  }
}

function rowOf(
  base: Pick<LaneRecovery, 'lane' | 'host' | 'bundle' | 'workflowId' | 'answeredAt'>,
  fault: unknown,
  result: PruneResult | null,
): LaneRecovery {
  if (fault === undefined) return { ...base, outcome: 'recovered', remarks: [], code: null, message: null };
  return {
    ...base,
    outcome: result === null ? 'untouched' : 'failed',
    remarks: [],
    code: codeOf(fault) ?? 'Unexpected',
    message: messageOf(fault),
  };
}

function remarkOf(lane: string, { kinds, freeBeforeBytes, freeAfterBytes }: PruneResult): string {
  const parts = kinds
    .filter(({ trees }) => trees > 0)
    .map(({ kind, sizeBytes }) => `${kind} ${formatBytes(sizeBytes)}`);
  const freed = formatBytes(Math.max(0, freeAfterBytes - freeBeforeBytes));
  return `lane ${lane}: ${freed} more is free; removed: ${parts.join(', ') || 'nothing, there was nothing of class 3'}`;
}

/** Procedure: "expand NVMe". */
function escalationOf(used: number, mark: number): string {
  return `the disk is still ${Math.floor(used * 100)} % full (mark: ${mark} %): expand NVMe, or take data off the host; local snapshots may hold what was removed (tmutil listlocalsnapshots /)`;
}
