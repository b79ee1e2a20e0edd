// The demo's second chapter: a bad upgrade leaves a gateway in an exit loop. The watch finds it by that first signal, opens
// an incident, and the playbook takes state and version back together.

import { badUpgrade } from '../rehearse/bad-upgrade.ts';
import { play, type RehearsalReport } from '../rehearse/rehearsal.ts';
import type { Rig } from '../rig/rig.ts';

export type IncidentReport = Pick<
  RehearsalReport,
  'incident' | 'scenario' | 'subject' | 'signal' | 'foundMs' | 'rtoMs' | 'rtoBudgetMs' | 'elapsedMs' | 'faults'
> & {
  readonly phase: string;
  readonly messageAnswered: boolean;
  readonly receipt: string | null;
};

/** What it needs in the fleet file, before workers read that. */
export async function prepareIncident(rig: Rig): Promise<void> {
  await badUpgrade.prepare?.(rig);
}

export async function disaster(rig: Rig, say: (line: string) => void): Promise<IncidentReport> {
  const { incident, scenario, subject, signal, foundMs, rtoMs, rtoBudgetMs, elapsedMs, faults, state } = await play(
    badUpgrade,
    rig,
    { say: (line) => say(`  ${line}`) },
  );
  const lanes = state.outcome?.lanes ?? [];
  return {
    incident,
    scenario,
    subject,
    signal,
    foundMs,
    rtoMs,
    rtoBudgetMs,
    elapsedMs,
    faults,
    phase: state.phase,
    messageAnswered: lanes.length > 0 && lanes.every(({ answeredAt }) => answeredAt !== null),
    receipt: state.receipt,
  };
}
