// Where the lanes of lost hosts can go: standbys are looked at one after the other, as they stand in the fleet file, so that
// the same plan is made again while nothing changes. Stores of a lost region are not read: what is counted is there.

import type { FindRefuge, HostFacts, Refuge } from '../../contract/losses.ts';
import { movedId } from '../../contract/names.ts';
import { MovedMemo } from '../../contract/placement.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import type { Deps } from '../deps.ts';
import { requireDigest } from '../host/lanes.ts';
import { chooseAmongCopies } from '../restore/choose-among-copies.ts';
import { neededFor } from '../restore/require-room.ts';
import { activity, type Run } from '../step.ts';
import { factsOf } from './describe-lost.ts';
import { prepareHost } from './prepare-host.ts';

export function findRefugeStep(deps: Deps): VaultSteps['findRefuge'] {
  return activity(async (request, run) => {
    const { fleet } = deps;
    requireDigest(fleet, request.fleetDigest, { fleet: fleet.name });
    const taken = await takenStandbys(deps, request.hosts);
    const found: Refuge[] = [];
    for (const host of request.hosts) {
      const refuge = await refugeOf(deps, { facts: factsOf(fleet, host), request, taken }, run);
      if (refuge.to !== null) taken.add(refuge.to);
      found.push(refuge);
    }
    return found;
  });
}

/** Standbys that have lanes by an earlier recovery. AlreadyMoved when that was one of these very hosts. */
async function takenStandbys({ fleet, temporal }: Deps, lost: readonly string[]): Promise<Set<string>> {
  const ids = new Map(fleet.hosts.map((host) => [movedId(fleet.name, host), host]));
  const keepers = await temporal.movedLanes([...ids.keys()]);
  const again = keepers.map(({ workflowId }) => ids.get(workflowId) ?? '').find((host) => lost.includes(host));
  if (again !== undefined)
    throw new Failure('AlreadyMoved', `${movedId(fleet.name, again)} still keeps where lanes of ${again} are`, {
      host: again,
    });
  return new Set(keepers.flatMap(({ memo }) => MovedMemo.safeParse(memo).data?.placement.on.host ?? []));
}

interface Wanted {
  readonly facts: HostFacts;
  readonly request: FindRefuge;
  readonly taken: ReadonlySet<string>;
}

async function refugeOf(deps: Deps, { facts, request, taken }: Wanted, run: Run): Promise<Refuge> {
  const { host } = facts;
  const copies = facts.lanes.map(({ lane }) => copyOf(deps, lane, request.lostRegion));
  const lanes = copies.flatMap(({ lane, from }) => (from === null ? [] : [{ lane, fromReplica: from === 'replica' }]));
  const beyond = copies.flatMap(({ lane, from, why }) => (from === null ? [{ lane, why }] : []));
  const sizes = await sizesOf(deps, lanes, run);
  const neededBytes = sizes.reduce((sum, { sizeBytes }) => sum + neededFor(sizeBytes), 0);
  const base = { host, version: sizes[0]?.version ?? null, neededBytes, lanes, beyond };
  const notes: string[] = [];
  for (const standby of candidates(deps, facts, request)) {
    const why = taken.has(standby)
      ? `standby ${standby} has lanes of another host`
      : await unfitness(deps, { host: standby, lanes: lanes.map(({ lane }) => lane), neededBytes }, run);
    if (why === null) return { ...base, to: standby, notes };
    notes.push(why);
  }
  return { ...base, to: null, notes };
}

/** Where a lane's bundles are read from, when a region with its stores is lost. */
function copyOf(
  { fleet }: Deps,
  lane: string,
  lostRegion: string | undefined,
): { readonly lane: string; readonly from: 'store' | 'replica' | null; readonly why: string } {
  const { store, replica } = fleet.laneSpec(lane);
  if (lostRegion === undefined || fleet.storeRegion(store) !== lostRegion) return { lane, from: 'store', why: '' };
  if (replica !== undefined && fleet.storeRegion(replica) !== lostRegion) return { lane, from: 'replica', why: '' };
  return { lane, from: null, why: `all copies of lane ${lane} rest in the lost region ${lostRegion}` };
}

async function sizesOf(
  deps: Deps,
  lanes: Refuge['lanes'],
  run: Run,
): Promise<{ readonly sizeBytes: number; readonly version: string | null }[]> {
  return Promise.all(
    lanes.map(async ({ lane, fromReplica }) => {
      const { fleet, store, replica } = deps.fleet.laneSpec(lane);
      const copies = fromReplica && replica !== undefined ? { store: replica } : { store, replica };
      const chosen = await chooseAmongCopies(deps, { fleet, lane, ...copies, layered: true }, run);
      return { sizeBytes: chosen.sizeBytes, version: chosen.openclawVersion };
    }),
  );
}

/** In the file's order, those of the lost host's own region first; a lost region has none. */
function candidates({ fleet }: Deps, lost: HostFacts, { standby, lostRegion }: FindRefuge): string[] {
  const fits = fleet.hosts.flatMap((name) => {
    const facts = fleet.hostFacts(name);
    const isWanted = standby === undefined || standby === name;
    return facts?.standby && isWanted && facts.region !== lostRegion && alike(facts, lost) ? [facts] : [];
  });
  const own = fits.filter(({ region }) => region === lost.region);
  return [...own, ...fits.filter(({ region }) => region !== lost.region)].map(({ host }) => host);
}

function alike(one: HostFacts, other: HostFacts): boolean {
  return one.profile === other.profile && (one.arch === null || other.arch === null || one.arch === other.arch);
}

/** Why a standby cannot take the lanes; null when it can. */
async function unfitness(
  deps: Deps,
  standby: { readonly host: string; readonly lanes: readonly string[]; readonly neededBytes: number },
  run: Run,
): Promise<string | null> {
  try {
    await prepareHost(deps, { ...standby, fleetDigest: deps.fleet.digest, dryRun: true }, run);
    return null;
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof Failure) return `standby ${standby.host}: ${error.code}, ${error.message}`;
    throw error;
  }
}
