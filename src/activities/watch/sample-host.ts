// What the watch sees of one host: a value, whatever becomes of the connection. Only what is wrong with this worker itself,
// an SSH key that it cannot read, is a failure.

import type { HostSteps } from '../../contract/steps.ts';
import { laneSectionId } from '../../contract/names.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { HostSample, LaneSample, Reach } from '../../domain/signals.ts';
import { type HostLook, lookAtHost, type WatchedLane } from '../../lane/host-look.ts';
import { LaneShell } from '../../lane/lane-shell.ts';
import type { Deps } from '../deps.ts';
import { knock } from '../host/knock.ts';
import { placedSpecs } from '../host/placed.ts';
import { requireProfile } from '../profiles.ts';
import { activity, type Run } from '../step.ts';

export function sampleHostStep(deps: Deps): HostSteps['sampleHost'] {
  return activity(async ({ host, lanes, countForeign }, run) => {
    const specs = await placedSpecs(deps, lanes);
    // a lane that has been moved meanwhile is seen at the next look
    const there = specs.filter(({ target }) => target.host.name === host);
    const watched = there.map(({ target }) => ({ target, profile: requireProfile(target.profile) }));
    try {
      const look = await lookAt(deps, host, { watched, countForeign, run });
      return { host, reach: 'answers', clockOffsetMs: look?.clockOffsetMs ?? null, lanes: await planned(deps, look) };
    } catch (error) {
      run.signal.throwIfAborted();
      return { host, reach: reachOf(error), clockOffsetMs: null, lanes: [] } satisfies HostSample;
    }
  });
}

/** Undefined of a host without lanes, and of one that has left the fleet file: that is asked for an answer only. */
async function lookAt(
  { fleet, pool }: Deps,
  host: string,
  {
    watched,
    countForeign,
    run: { signal },
  }: {
    readonly watched: readonly WatchedLane[];
    readonly countForeign: boolean;
    readonly run: Run;
  },
): Promise<HostLook | undefined> {
  const [first] = watched;
  const target = first?.target.host ?? fleet.hostTarget(host);
  if (target === undefined)
    throw new Failure('HostOutputUnexpected', `host ${host} is not in this worker's fleet file`, { host });
  if (first === undefined) {
    await knock(pool, target, signal);
    return undefined;
  }
  const connection = await pool.lease(target, signal);
  return lookAtHost(new LaneShell(connection, first.target), watched, { countForeign, signal });
}

/** Operations that leave the gateway running. */
const harmless: ReadonlySet<string> = new Set(['backup', 'import', 'sweep', 'expire', 'prune']);

async function planned({ fleet, temporal }: Deps, look: HostLook | undefined): Promise<LaneSample[]> {
  return Promise.all(
    (look?.lanes ?? []).map(async ({ disabled, healthy, ...lane }) => {
      const holder = await temporal.describeHolder(laneSectionId(fleet.name, lane.lane));
      const isWorkedOn = holder !== null && !harmless.has(holder.operation);
      return { ...lane, planned: disabled || isWorkedOn, answered: healthy };
    }),
  );
}

/** @throws what is no word of a host at all */
function reachOf(error: unknown): Reach {
  if (!isFailure(error)) throw error;
  switch (error.code) {
    case 'HostKeyChanged':
      return 'key-changed';
    case 'HostLoginRefused':
      return 'login-refused';
    case 'HostConnectionLost':
      return 'timeout';
    case 'HostUnreachable':
      return reachOfCause((error.cause as { code?: unknown } | undefined)?.code);
    case 'SecretUnavailable':
    case 'PlacementBad':
    case 'UnknownLane':
      throw error;
    default:
      return 'odd';
  }
}

/** A name that is not resolved tells of our own resolver, not of the host. */
function reachOfCause(code: unknown): Reach {
  if (code === 'ECONNREFUSED') return 'refused';
  return code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'unknown' : 'timeout';
}
