// Restores many lanes at once under one clock, or plans that (dryRun). The bundle of each lane is chosen before the first
// of its host is touched, and is the one that is restored. A lane that another run restored meanwhile is left to that one.

import type { FleetResult } from '../contract/fleet-run.ts';
import { RestoreFleetInput, type RestoreLaneInput } from '../contract/inputs.ts';
import type { RestoreResult } from '../contract/results.ts';
import type { FleetDescription, RestoreRoom } from '../contract/step-types.ts';
import { asOwnFailure, workflowFailure } from './failures.ts';
import type { Done, FleetLane } from './fleet-rows.ts';
import { runFleet } from './fleet-run.ts';
import { parseInput } from './input.ts';
import { vault } from './steps.ts';

export async function restoreFleet(raw: unknown): Promise<FleetResult> {
  const input = parseInput(RestoreFleetInput, raw);
  const { all, host, lanes, only, layered, acceptVersion, into, dryRun, waitMs = 0 } = input;
  const isLive = into === 'live' && !dryRun;
  return runFleet<RestoreResult>({
    kind: 'restore',
    choice: { all, host, lanes },
    hasRto: isLive,
    check: (fleet) => requireChosen(fleet, input),
    measure: (lane) => measure(lane, input),
    writes: !dryRun,
    word: dryRun ? 'plan-restore' : 'restore',
    input: ({ lane, streams, fleetDigest }, room) => ({
      lane,
      // a plan chooses by itself: then it says what a named bundle would not, that there is a newer one
      ...(dryRun ? choiceOf(lane, input) : { bundle: room?.bundle }),
      lastRestore: isLive ? room?.lastRestore : undefined,
      only,
      layered,
      acceptVersion,
      into,
      dryRun,
      waitMs,
      streams,
      fleetDigest,
    }),
    row,
  });
}

/** A bundle for a lane that is not restored is a slip of the pen. */
function requireChosen({ lanes }: FleetDescription, { bundles = {} }: RestoreFleetInput): void {
  const stray = Object.keys(bundles).filter((name) => !lanes.some(({ lane }) => lane === name));
  if (stray.length === 0) return;
  throw workflowFailure('InvalidInput', `bundles names lanes that were not chosen: ${stray.join(', ')}`, {
    field: 'bundles',
  });
}

function choiceOf(lane: string, { bundles = {}, at }: RestoreFleetInput): Pick<RestoreLaneInput, 'bundle' | 'at'> {
  const bundle = bundles[lane];
  return bundle === undefined ? { at } : { bundle };
}

async function measure({ lane, fleetDigest }: FleetLane, input: RestoreFleetInput): Promise<RestoreRoom> {
  const { only, layered } = input;
  try {
    return await vault.measureRestore({ lane, fleetDigest, ...choiceOf(lane, input), only, layered });
  } catch (error) {
    throw asOwnFailure(error);
  }
}

const after = { live: 'restored', undo: 'restored', sandbox: 'restored into a sandbox', plan: 'planned' } as const;

function row({ into, bundle, plan, overBudget, answeredAt }: RestoreResult): Done {
  return {
    after: after[into],
    bundle,
    sizeBytes: plan?.sizeBytes ?? 0,
    remarks: overBudget.map((late) => `over budget: ${late}`),
    answeredAt,
    ...(into === 'plan' && plan ? { plan } : {}),
  };
}
