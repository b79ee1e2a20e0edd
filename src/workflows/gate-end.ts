// How a gate ends, and its receipt: a signature stands when its receipt does; what ends unsigned leaves one too.

import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { GateSignature } from '../contract/gate.ts';
import { lastGateDay } from '../domain/gate.ts';
import { signatureWords } from '../domain/statements.ts';
import { bundleIdOf } from '../domain/terms.ts';
import { messageOf } from './failures.ts';
import type { GateDesk } from './gate-desk.ts';
import { type DayDone, dayFailure } from './gate-done.ts';
import { specsOf } from './gate-host.ts';
import { now } from './gate-state.ts';
import { vaultReceipt } from './steps.ts';

export async function signGate(
  desk: GateDesk,
  { by, how }: Omit<GateSignature, 'at'>,
  openclaw: string | null,
): Promise<'signed' | DayDone> {
  const at = now();
  const before = desk.state;
  desk.change(lastGateDay, { state: 'passed', endedAt: at, evidence: [`signed by ${by}, ${signatureWords[how]}`] });
  desk.set({ phase: 'signed', endedAt: at, signed: { by, at, how }, doing: 'signed' });
  try {
    desk.set({ receipt: await writeReceipt(desk, openclaw) });
    return 'signed';
  } catch (error) {
    desk.set(before);
    if (isCancellation(error)) throw error;
    return dayFailure(error);
  }
}

/** Never throws: a receipt that cannot be written is a warning. */
export async function endGate(
  desk: GateDesk,
  phase: 'abandoned' | 'cancelled',
  openclaw: string | null,
): Promise<void> {
  const { rows, warnings } = desk.state;
  const ended = rows.map((row) =>
    row.state === 'running' ? { ...row, state: 'failed' as const, endedAt: now() } : row,
  );
  desk.set({ phase, endedAt: now(), doing: phase, rows: ended });
  try {
    desk.set({ receipt: await writeReceipt(desk, openclaw) });
  } catch (error) {
    desk.set({ warnings: [...warnings, `NO RECEIPT was written: ${messageOf(error)}`] });
  }
}

async function writeReceipt({ state }: GateDesk, openclaw: string | null): Promise<string> {
  const { runId, workflowId } = workflowInfo();
  const { specs, fleetDigest } = await specsOf(state.host);
  const [{ target, store, replica, region }] = specs;
  const { receipt } = await vaultReceipt(state.phase === 'signed' ? 'passed' : 'failed').writeGateReceipt({
    state,
    target,
    store,
    replica,
    region,
    fleetDigest,
    id: bundleIdOf(Date.now(), runId),
    workflow: { id: workflowId, runId },
    openclaw,
  });
  return receipt;
}
