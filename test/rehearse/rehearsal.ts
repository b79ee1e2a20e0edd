// A rehearsal: a bed of its own, a disaster that is really caused on it, and the way from the first signal, which the watch
// itself finds, to the answered message. Each cause is a file; it lives here and never in src/.

import { setTimeout as sleep } from 'node:timers/promises';
import { endOfIncident, listIncidents, readIncident, tellIncident } from '../../src/client/incidents.ts';
import { toFailure } from '../../src/client/failures.ts';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import type { FirstSignal } from '../../src/contract/incidents.ts';
import { incidentId } from '../../src/contract/names.ts';
import type { WatchResult } from '../../src/contract/watch-types.ts';
import type { Scenario } from '../../src/domain/incident.ts';
import type { BedOptions } from '../bed/bed.ts';
import { Rig } from '../rig/rig.ts';
import { type Checks, whatIsSo } from './checks.ts';
import { untilOpened, watchAsRehearsal, watchOnce } from '../rig/watch.ts';

/** One disaster. */
export interface Cause {
  readonly scenario: Scenario;
  /** What it is about, by the name that the bed gives. */
  readonly subject: string;
  readonly bed: Omit<BedOptions, 'dir'>;
  /** Makes the stage ready, before workers start: disks, fleet file. What it answers is undone in the end. */
  readonly prepare?: (rig: Rig) => Promise<() => Promise<void>>;
  /** Backups, and whatever else there is on a good day; the watch sees no signal after it. */
  readonly before: (rig: Rig) => Promise<void>;
  /** The disaster itself. */
  readonly strike: (rig: Rig) => Promise<void>;
  /** What is not as it must be afterwards, a line each. */
  readonly check: (rig: Rig, state: IncidentState) => Promise<string[]>;
}

export interface RehearsalReport {
  readonly ok: boolean;
  readonly scenario: Scenario;
  readonly subject: string;
  readonly incident: string;
  readonly signal: FirstSignal | null;
  /** From the disaster until the watch had opened its incident. */
  readonly foundMs: number;
  /** From the first signal to the last answered message. */
  readonly rtoMs: number | null;
  readonly rtoBudgetMs: number | null;
  readonly elapsedMs: number;
  readonly state: IncidentState;
  readonly faults: readonly string[];
}

export interface RehearsalOptions {
  /** A folder of its own. */
  readonly dir: string;
  readonly say: (line: string) => void;
  /** Where its plan asks; left out, everybody is in the room, and it is approved. */
  readonly approve?: (rig: Rig, state: IncidentState) => Promise<void>;
}

/** Runs it, and ends whatever it started. */
export async function rehearse(cause: Cause, { dir, ...audience }: RehearsalOptions): Promise<RehearsalReport> {
  audience.say(
    `bed: ${cause.bed.kind}, ${cause.bed.hosts.map(({ name, lanes }) => `${name} with ${lanes} lanes`).join(', ')}`,
  );
  const rig = await Rig.start({ ...cause.bed, dir });
  let undo: (() => Promise<void>) | undefined;
  try {
    undo = await cause.prepare?.(rig);
    await rig.startWorker();
    return await play(cause, rig, audience);
  } finally {
    await rig.stop();
    await undo?.();
  }
}

type Audience = Required<Pick<RehearsalOptions, 'say' | 'approve'>>;

/** The same on a rig that runs, with a watch that has not been paused; what `prepare` has to do was done. */
export async function play(
  cause: Cause,
  rig: Rig,
  { say, approve = approveAtOnce }: Omit<RehearsalOptions, 'dir'>,
): Promise<RehearsalReport> {
  const audience = { say, approve };
  const { scenario, subject } = cause;
  const incident = incidentId('bed', scenario, subject);
  await cause.before(rig);
  await watchAsRehearsal(rig);
  const quiet = await watchOnce(rig);
  audience.say(`the watch sees ${quiet.signals.length} signals before, and ${quiet.away.length} hosts away`);
  await cause.strike(rig);
  const startedMs = Date.now();
  await untilOpened(rig, incident);
  const foundMs = Date.now() - startedMs;
  const { signal } = await readIncident(rig.client, incident);
  audience.say(`first signal: ${signal?.text}; opened after ${foundMs} ms`);
  const state = await untilEnd(rig, incident, audience);
  const faults =
    state.phase === 'recovered'
      ? [...foundBy(state, quiet), ...(await cause.check(rig, state)), ...(await others(rig, incident))]
      : [`it is ${state.phase}: ${state.message}`];
  return {
    ok: faults.length === 0,
    scenario,
    subject,
    incident,
    signal,
    foundMs,
    rtoMs: state.rto.ms,
    rtoBudgetMs: state.rto.budgetMs,
    elapsedMs: Date.now() - startedMs,
    state,
    faults,
  };
}

/** By the watch, from its signal, and not before anything was wrong. */
function foundBy({ openedBy, signal, rehearsal }: IncidentState, quiet: WatchResult): string[] {
  const faults: Checks = [
    [`the watch saw ${JSON.stringify(quiet.signals)} before the disaster`, quiet.signals.length > 0],
    [`it was opened by ${openedBy}, without a signal`, openedBy !== 'watch' || signal === null],
    ['it is not marked as a rehearsal', !rehearsal],
  ];
  return whatIsSo(faults);
}

/** One disaster is one incident. */
async function others({ client }: Rig, incident: string): Promise<string[]> {
  const found = await listIncidents(client, 'bed');
  return found.filter((one) => one.incident !== incident).map((one) => `the watch opened ${one.incident}, too`);
}

async function approveAtOnce({ client }: Rig, { incident, plan }: IncidentState): Promise<void> {
  if (plan)
    await tellIncident(client, incident, ['approve', { digest: plan.digest, by: 'rehearsal', waiveFence: false }]);
}

async function untilEnd(rig: Rig, incident: string, { say, approve }: Audience): Promise<IncidentState> {
  let said = '';
  for (;;) {
    const state = await readIncident(rig.client, incident);
    const line = `${state.phase}${['', state.phase].includes(state.doing) ? '' : `: ${state.doing}`}`;
    if (line !== said) say(line);
    said = line;
    if (state.phase === 'awaiting-approval')
      await approve(rig, state).catch((error: unknown) => say(`not approved: ${toFailure(error).message}`));
    if (state.endedAt !== null) {
      await endOfIncident(rig.client, incident).catch(() => undefined); // how it failed stands in its state
      return readIncident(rig.client, incident);
    }
    await sleep(300);
  }
}
