// When each lane's newest good capture of each class was made, by what lies in its store. A suspect bundle counts as none,
// as in `status`. One LIST a lane, and manifests from the newest on until both classes are found. A store that does not
// answer is asked for one lane only; what cannot be seen is told by its code, and hides no other lane.

import type { Manifest } from '../../bundle/manifest.ts';
import type { RpoLook } from '../../contract/rpo.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { Failure, type FailureCode } from '../../domain/failure.ts';
import type { RpoSight } from '../../domain/rpo.ts';
import { classOf, type DataClass } from '../../domain/terms.ts';
import { isSilence } from '../copied-store.ts';
import type { Deps } from '../deps.ts';
import { goodManifests, listBundles } from '../manifests.ts';
import { activity } from '../step.ts';

type Captured = Readonly<Record<DataClass, number | null>>;

/** Two months of daily bundles, as in `status`; as a rule a look ends at a week's tier B. */
const mostManifests = 60;
/** 500 lanes ÷ 8 × (a LIST and some four GETs at 100 ms) = 31 s. */
const lanesAtOnce = 8;

const nothing: Captured = { 1: null, 2: null };

export function lookAtRpoStep(deps: Deps): VaultSteps['lookAtRpo'] {
  const { fleet, hooks } = deps;
  return activity(async (_input, { signal }): Promise<RpoLook> => {
    const silent = new Map<string, Failure>();
    const seen = new Map<string, Captured | FailureCode>();
    const waiting = fleet.lanes.values();
    const one = async (): Promise<void> => {
      for (const lane of waiting) seen.set(lane, await captured(deps, lane, silent, signal));
    };
    await Promise.all(Array.from({ length: lanesAtOnce }, one));
    const codes = [...seen].flatMap(([lane, found]) => (typeof found === 'string' ? [{ lane, code: found }] : []));
    const sights = fleet.lanes.flatMap((lane) => sightsOf(deps, lane, seen.get(lane) ?? nothing));
    return { fleet: fleet.name, rules: fleet.rpoRules, alerts: hooks.kinds.includes('alert'), sights, unseen: codes };
  });
}

function sightsOf({ fleet }: Deps, lane: string, found: Captured | FailureCode): RpoSight[] {
  const at = typeof found === 'string' ? nothing : found;
  const classTwoMs = fleet.classTwoRpoMs(lane);
  return [
    { lane, dataClass: 1, objectiveMs: fleet.laneSpec(lane).rpoMs, capturedAtMs: at[1] },
    ...(classTwoMs === null ? [] : [{ lane, dataClass: 2 as const, objectiveMs: classTwoMs, capturedAtMs: at[2] }]),
  ];
}

/** @param silent stores that did not answer, by name */
async function captured(
  deps: Deps,
  lane: string,
  silent: Map<string, Failure>,
  signal: AbortSignal,
): Promise<Captured | FailureCode> {
  const { store } = deps.fleet.laneSpec(lane);
  const known = silent.get(store);
  if (known) return known.code;
  try {
    return await newestOf(deps, { fleet: deps.fleet.name, lane, store, signal });
  } catch (error) {
    if (!(error instanceof Failure) || signal.aborted) throw error;
    if (isSilence(error)) silent.set(store, error);
    return error.code;
  }
}

async function newestOf(deps: Deps, request: Parameters<typeof goodManifests>[1]): Promise<Captured> {
  const found: Record<DataClass, number | null> = { ...nothing };
  const bundles = (await listBundles(deps, request)).slice(0, mostManifests);
  const needs = ([1, 2] as const).filter((one) => one === 1 || deps.fleet.classTwoRpoMs(request.lane) !== null);
  for await (const { manifest } of goodManifests(deps, request, bundles)) {
    if (manifest.suspect?.length) continue;
    for (const one of needs) if (holds(manifest, one)) found[one] ??= Date.parse(manifest.capturedAt);
    if (needs.every((one) => found[one] !== null)) break;
  }
  return found;
}

function holds({ segments }: Manifest, dataClass: DataClass): boolean {
  return segments.some(({ component }) => classOf(component) === dataClass);
}
