// A look at a lane that changes nothing: its journal, its job, its gateway, its report. The one door from here to a
// lane. Each part that cannot be read says why; a host that does not answer costs a few seconds and is no failure.

import type { FleetFile } from '../config/fleet-file.ts';
import { resolveLogin } from '../config/fleet-secrets.ts';
import { Failure, type FailureCode } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { profileOf } from '../domain/profile.ts';
import { checkHealth } from '../lane/gateway.ts';
import { HostPool } from '../lane/host-pool.ts';
import { readArchivedJournal, readJournal } from '../lane/journal.ts';
import { readLaneFile } from '../lane/lane-files.ts';
import { LaneShell } from '../lane/lane-shell.ts';
import { readJob } from '../lane/launchd.ts';
import { readTimeZone } from '../lane/survey.ts';

export type Seen<T> =
  | { readonly seen: T }
  | { readonly unseen: { readonly code: FailureCode; readonly message: string } };

export interface GatewayState {
  readonly loaded: boolean;
  readonly disabled: boolean;
  readonly pid: number | null;
  readonly lastExit: number | null;
  /** Its probes answer 200; says nothing about its tokens. */
  readonly healthy: boolean;
}

export interface RestoreState {
  /** A restore that was not ended: `open` goes back, `committed` goes forward, `undo` goes back to the old tree. */
  readonly unsettled: { readonly restore: string; readonly phase: string } | null;
  /** What a committed restore replaced and is still kept. */
  readonly kept: { readonly restore: string; readonly restoredAt: string; readonly until: string } | null;
}

export interface LaneState {
  readonly lane: string;
  readonly host: string;
  readonly gateway: Seen<GatewayState>;
  readonly restore: Seen<RestoreState>;
}

/** How long a whole look may take. */
const lookMs = 12_000;

/** Logs in on each host once; never throws. */
export async function probeLanes(fleet: FleetFile, lanes: readonly string[]): Promise<LaneState[]> {
  const pool = new HostPool(() => resolveLogin(fleet));
  const signal = AbortSignal.timeout(lookMs);
  try {
    return await Promise.all(lanes.map((lane) => probeLane(fleet, pool, lane, signal)));
  } finally {
    pool.close();
  }
}

/**
 * Asks hosts for their time zones, all at once.
 * @param hosts with a lane of each, through whose target the host is reached
 * @returns zones of IANA by host; what a host that cannot be asked fails with is thrown
 */
export async function askTimeZones(
  fleet: FleetFile,
  hosts: readonly { readonly host: string; readonly lane: string }[],
): Promise<Record<string, string>> {
  const pool = new HostPool(() => resolveLogin(fleet));
  const signal = AbortSignal.timeout(lookMs);
  try {
    const ask = async ({ host, lane }: (typeof hosts)[number]): Promise<[string, string]> => {
      const { target } = fleet.laneSpec(lane);
      return [host, await readTimeZone(new LaneShell(await pool.lease(target.host, signal), target))];
    };
    return Object.fromEntries(await Promise.all(hosts.map(ask)));
  } finally {
    pool.close();
  }
}

async function probeLane(fleet: FleetFile, pool: HostPool, lane: string, signal: AbortSignal): Promise<LaneState> {
  const { target } = fleet.laneSpec(lane);
  const shell = look(
    signal,
    target.host.name,
    async () => new LaneShell(await pool.lease(target.host, signal), target),
  );
  const part = async <T>(read: (shell: LaneShell) => Promise<T>): Promise<Seen<T>> => {
    const reached = await shell;
    return 'unseen' in reached ? reached : look(signal, target.host.name, () => read(reached.seen));
  };
  const [gateway, restore] = await Promise.all([part((reached) => readGateway(reached, signal)), part(readRestore)]);
  return { lane, host: target.host.name, gateway, restore };
}

/** Ends with the signal, whether or not the work listens to it. */
async function look<T>(signal: AbortSignal, host: string, work: () => Promise<T>): Promise<Seen<T>> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void =>
    reject(new Failure('HostUnreachable', `host ${host} did not answer within ${lookMs} ms`, { host }));
  signal.addEventListener('abort', onAbort);
  const working = work();
  working.catch(() => undefined);
  try {
    return { seen: await Promise.race([working, promise]) };
  } catch (error) {
    const failure =
      error instanceof Failure ? error : new Failure('Unexpected', `a look at host ${host} failed: ${nameOf(error)}`);
    return { unseen: { code: failure.code, message: failure.message } };
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

async function readGateway(shell: LaneShell, signal: AbortSignal): Promise<GatewayState> {
  const { loaded, disabled, pid = null, lastExit = null } = await readJob(shell, signal);
  const profile = profileOf(shell.target.profile);
  const healthy = pid !== null && profile !== undefined && (await checkHealth(shell, profile, { signal }));
  return { loaded, disabled, pid, lastExit, healthy };
}

async function readRestore(shell: LaneShell): Promise<RestoreState> {
  const [open, last] = [journalOf(await readJournal(shell)), journalOf(await readArchivedJournal(shell, 'restored'))];
  return {
    unsettled: open && { restore: open.restore, phase: open.phase },
    kept: last && {
      restore: last.restore,
      restoredAt: new Date(last.epoch * 1000).toISOString(),
      until: new Date(last.epoch * 1000 + limits.backupTreeKeptMs).toISOString(),
    },
  };
}

interface Journal {
  readonly restore: string;
  readonly phase: string;
  readonly epoch: number;
}

/** The fields that are shown; the journal's whole form is the contract's (contract/journal.ts). */
function journalOf(value: unknown): Journal | null {
  if (value === undefined) return null;
  const { restore, phase, epoch } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Journal>;
  if (typeof restore === 'string' && typeof phase === 'string' && typeof epoch === 'number')
    return { restore, phase, epoch };
  throw new Failure('JournalDamaged', 'its journal has not the fields of one');
}

/**
 * What failed on the lane, by name (`~/.clawback/report`); '' when nothing did.
 * @throws Failure HostUnreachable and what else a connection fails with; the signal's reason
 */
export async function readReport(fleet: FleetFile, lane: string, signal: AbortSignal): Promise<string> {
  const { target } = fleet.laneSpec(lane);
  const pool = new HostPool(() => resolveLogin(fleet));
  try {
    const shell = new LaneShell(await pool.lease(target.host, signal), target);
    return (await readLaneFile(shell, 'report'))?.toString('utf8') ?? '';
  } finally {
    pool.close();
  }
}
