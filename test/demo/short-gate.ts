// The demo's fourth chapter: the 7-day gate with days of five seconds, up to its signature. Its receipt says that it was a
// demonstration and proves nothing about a rent.

import { setTimeout as sleep } from 'node:timers/promises';
import { readGate, signGate, startGate } from '../../src/client/gate.ts';
import type { GateDay, GateState } from '../../src/contract/gate.ts';
import type { Rig } from '../rig/rig.ts';

const dayLengthMs = 5_000;

export type GateReport = Pick<GateState, 'gate' | 'host' | 'phase' | 'dayLengthMs' | 'rto' | 'receipt'> & {
  readonly elapsedMs: number;
  readonly days: readonly Pick<GateDay, 'day' | 'action' | 'state' | 'evidence' | 'message' | 'advice'>[];
};

export async function shortGate({ client }: Rig, say: (line: string) => void): Promise<GateReport> {
  const of = { fleet: 'bed', host: 'mac-1' };
  const startedMs = Date.now();
  await startGate(client, of, dayLengthMs);
  let state = await readGate(client, of);
  for (let shown = -1; isUnderWay(state); state = await readGate(client, of)) {
    if (state.day > shown) say(`  day ${state.day}: ${state.rows[state.day]?.action ?? state.doing}`);
    shown = state.day;
    await sleep(300);
  }
  if (isReady(state)) state = await signGate(client, of, { by: 'demo' });
  const { gate, host, phase, rto, receipt, rows } = state;
  const days = rows.map(({ day, action, state: standing, evidence, message, advice }) => ({
    day,
    action,
    state: standing,
    evidence,
    message,
    advice,
  }));
  return { gate, host, phase, dayLengthMs, rto, receipt, elapsedMs: Date.now() - startedMs, days };
}

function isReady({ next }: GateState): boolean {
  return next?.includes('gate sign') ?? false;
}

/** Until somebody is asked: to sign, or what to do about a day that has failed. */
function isUnderWay(state: GateState): boolean {
  return state.phase === 'running' && !isReady(state) && state.rows.every((row) => row.state !== 'failed');
}
