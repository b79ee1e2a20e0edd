// Incidents under fault: opened by an operator, approved by an approver's signature, and, where lanes stay stopped, ended
// as the operator would.

import { chownSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toFailure } from '../../src/client/failures.ts';
import { openIncident, readIncident, tellIncident } from '../../src/client/incidents.ts';
import { startRestore } from '../../src/client/start.ts';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { approvalNamespace, approvalText, type Scenario } from '../../src/domain/incident.ts';
import { signBySsh } from '../../src/signing/ssh-signature.ts';
import type { BedLane } from '../bed/bed.ts';
import { gatewayPids } from '../rig/wreck.ts';
import { approver, type FaultRig } from './fault-rig.ts';
import { outcomeOf, type Running, type Stage } from './stage.ts';

interface Opening {
  readonly scenario: Scenario;
  readonly subject: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly dryRun?: boolean;
}

/** Approved as soon as its plan waits; a refusal is kept as its outcome, and the approval given once more. */
export async function incident(
  rig: FaultRig,
  { dryRun = false, ...opening }: Opening,
  complaint: (state: IncidentState) => string | undefined = () => undefined,
): Promise<Running> {
  const { handle } = await openIncident(rig.rig.client, { fleet: 'bed', ...opening, dryRun });
  const { workflowId } = handle;
  const outcome = async (): Promise<string> => {
    const refused = dryRun ? undefined : await approveIt(rig, workflowId);
    const ended = await outcomeOf<IncidentState>(
      rig.rig.client.workflow.getHandle(workflowId),
      (state) => toldBy(state) ?? complaint(state),
    );
    return ended === 'completed' ? (refused ?? ended) : ended;
  };
  return { workflowId, outcome };
}

/** Warnings, and nothing else, say what an incident went on without. */
function toldBy({ phase, warnings }: IncidentState): string | undefined {
  if (phase !== 'recovered' && phase !== 'planned') return `ended:${phase}`;
  return warnings[0] === undefined ? undefined : `told:${warnings[0].slice(0, 60)}`;
}

/** @returns what the first approval was refused with */
async function approveIt(rig: FaultRig, workflowId: string): Promise<string | undefined> {
  let refused: string | undefined;
  for (;;) {
    // a worker that dies does not answer a query
    const state = await readIncident(rig.rig.client, workflowId).catch(() => undefined);
    if (state?.phase === 'awaiting-approval') {
      const code = await approve(rig, state);
      if (code === undefined) return refused;
      refused ??= `failed:${code}`;
    } else if (state !== undefined && state.phase !== 'planning') return refused;
    await sleep(200);
  }
}

async function approve(
  rig: FaultRig,
  { incident: workflowId, runId, plan }: IncidentState,
): Promise<string | undefined> {
  const { name: by, keyFile } = approver(rig.rig.dir);
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const digest = plan?.digest ?? '';
  const statement = { workflowId, runId, digest, by, expires, waiveFence: false };
  const signature = await signBySsh({ text: approvalText(statement), namespace: approvalNamespace }, keyFile);
  try {
    await tellIncident(rig.rig.client, workflowId, ['approve', { digest, by, waiveFence: false, expires, signature }]);
    return undefined;
  } catch (error) {
    return toFailure(error).code;
  }
}

/** Class 3 that is there to be removed. */
export async function diskFull({ rig, lane }: Stage): Promise<Running> {
  const cache = join(lane.realHome, '.npm/_cacache');
  const { uid, gid } = statSync(lane.realHome);
  mkdirSync(cache, { recursive: true });
  for (let at = 0; at < 200; at += 1) writeFileSync(join(cache, `${at}`), Buffer.alloc(10_000, 7));
  for (const path of [join(cache, '..'), cache]) chownSync(path, uid, gid);
  const started = await incident(rig, { scenario: 'disk-full', subject: lane.host, input: { host: lane.host } });
  const outcome = async (): Promise<string> => {
    const ended = await started.outcome();
    const left = existsSync(cache) ? readdirSync(cache).length : 0;
    return ended === 'completed' && left > 0 ? `failed:${left} files of class 3 are left` : ended;
  };
  return { ...started, outcome };
}

/** All lanes of the host; those that it leaves stopped are restored by the operator. */
export async function crossWrite({ rig, lane }: Stage): Promise<Running> {
  const started = await incident(rig, { scenario: 'cross-write', subject: lane.host, input: { host: lane.host } });
  const outcome = async (): Promise<string> => {
    const ended = await started.outcome();
    for (const held of rig.rig.bed.lanes.filter(isHeld))
      await (await startRestore(rig.rig.client, { lane: held.lane })).result();
    return ended;
  };
  const broken = async (): Promise<string[]> =>
    rig.rig.bed.lanes
      .filter((one) => gatewayPids(one).length !== 1)
      .map((one) => `lane ${one.lane} has ${gatewayPids(one).length} gateways`);
  return { ...started, outcome, broken };
}

function isHeld({ realHome }: BedLane): boolean {
  return existsSync(join(realHome, '.clawback/held.json'));
}
