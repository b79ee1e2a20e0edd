// The plan of an incident: which bundle each lane comes back from, what that takes and costs, and the digest that is
// approved. Reads stores and nothing else: the hosts may be gone.

import type {
  LaneToPlan,
  PlannedLane,
  PlanRecovery,
  RecoveryPlan,
  IncidentSteps,
} from '../../contract/incident-plan.ts';
import type { BundleChoice, ChosenBundles } from '../../contract/step-types.ts';
import { isFailure } from '../../domain/failure.ts';
import { formatDuration } from '../../domain/quantity.ts';
import { estimateRestoreMs } from '../../domain/budget.ts';
import { canonicalSha256 } from '../../signing/canonical.ts';
import type { Deps } from '../deps.ts';
import { requireDigest } from '../host/lanes.ts';
import { placedSpec } from '../host/placed.ts';
import { chooseAmongCopies } from '../restore/choose-among-copies.ts';
import { activity, type Run } from '../step.ts';

export function planRecoveryStep(deps: Deps): IncidentSteps['planRecovery'] {
  return activity(async (draft, run) => {
    requireDigest(deps.fleet, draft.fleetDigest, { fleet: deps.fleet.name });
    const found: Found[] = [];
    for (const lane of draft.lanes) found.push(await planLane(deps, lane, draft, run));
    return planOf(draft, found, deps);
  });
}

interface Found {
  readonly lane: PlannedLane;
  readonly kept: boolean;
  readonly warnings: readonly string[];
}

async function planLane(deps: Deps, request: LaneToPlan, draft: PlanRecovery, run: Run): Promise<Found> {
  const { lane, toHost, kept = false } = request;
  const { target } = toHost === undefined ? await placedSpec(deps, lane) : deps.fleet.laneSpec(lane);
  const place = { lane, host: target.host.name, ...(toHost === undefined ? {} : { toHost }) };
  const chosen = await choose(deps, request, run);
  if (chosen === undefined)
    return { kept, lane: { ...place, ...nothing }, warnings: [`lane ${lane} has NO good bundle`] };
  const rpo = chosen.captured.map(({ dataClass, bundle, capturedAt }) => ({
    class: dataClass,
    bundle,
    capturedAt,
    ageMs: Math.max(0, Date.parse(draft.since) - Date.parse(capturedAt)),
  }));
  const planned: PlannedLane = {
    ...place,
    bundle: chosen.bundle,
    tier: chosen.tier,
    proven: chosen.proven,
    store: chosen.copies.store,
    sizeBytes: chosen.sizeBytes,
    estimateMs: kept ? 0 : estimateRestoreMs(chosen.sizeBytes),
    rpo,
    lost: kept ? [] : rpo.map(lossOf),
    used: chosen.used,
    ...(chosen.openclawVersion === null ? {} : { openclaw: chosen.openclawVersion }),
  };
  return { kept, lane: planned, warnings: kept ? [] : chosen.warnings.map((text) => `lane ${lane}: ${text}`) };
}

const nothing = {
  bundle: null,
  tier: null,
  proven: false,
  store: null,
  sizeBytes: 0,
  estimateMs: 0,
  rpo: [],
  lost: [],
  used: [],
} as const;

function lossOf({ class: of, capturedAt, ageMs }: PlannedLane['rpo'][number]): string {
  return `what came into class ${of} after ${capturedAt} (${formatDuration(ageMs)} before the first signal)`;
}

/** Undefined only for a lane that keeps its data, where nothing good is there. */
async function choose(deps: Deps, request: LaneToPlan, run: Run): Promise<ChosenBundles | undefined> {
  const { lane, bundle, tiers, kept = false, fromReplica = false, layered = false } = request;
  const { fleet, store, replica } = deps.fleet.laneSpec(lane);
  const copies = fromReplica && replica !== undefined ? { store: replica } : { store, replica };
  // a lane that keeps its data is asked how old its newest capture is; which of them is proven does not matter
  const at = kept ? { at: '9999-12-31T00:00:00Z' } : {};
  const choice: BundleChoice = { fleet, lane, ...copies, bundle, tiers, ...at, layered };
  try {
    return await chooseAmongCopies(deps, choice, run);
  } catch (error) {
    if (kept && isFailure(error, 'NoRestorePoint')) return undefined;
    throw error;
  }
}

function planOf(draft: PlanRecovery, found: readonly Found[], deps: Deps): RecoveryPlan {
  const { scenario, subject, fleetDigest, steps, fixedMs = 0, warnings = [] } = draft;
  const lanes = found.map(({ lane }) => lane);
  const specs = lanes.map(({ lane }) => deps.fleet.laneSpec(lane));
  const plan = {
    scenario,
    subject,
    fleetDigest,
    steps,
    lanes,
    // side by side
    estimatedRtoMs: fixedMs + Math.max(0, ...lanes.map(({ estimateMs }) => estimateMs)),
    rtoBudgetMs: Math.max(1, ...specs.map(({ budgets }) => budgets.rtoMs)),
    ask: draft.ask ?? (draft.asksWithoutBackup ? withoutBackup(found, deps) : null),
    warnings: [...warnings, ...found.flatMap((one) => one.warnings)],
  };
  return { ...plan, digest: canonicalSha256(plan) };
}

/** Which lanes would have nothing, or too little, to come back from. */
function withoutBackup(found: readonly Found[], deps: Deps): string | null {
  const poor = found.flatMap(({ lane: { lane, bundle, rpo } }) => {
    const { rpoMs } = deps.fleet.laneSpec(lane);
    const ageMs = Math.min(...rpo.filter((one) => one.class === 1).map((one) => one.ageMs));
    if (bundle === null) return [`lane ${lane} has no good backup`];
    return ageMs > rpoMs ? [`the newest good backup of lane ${lane} is ${formatDuration(ageMs)} old`] : [];
  });
  return poor.length === 0 ? null : poor.join('; ');
}
