// Where a lane is: as the fleet file says, unless a recovery from a loss has put it elsewhere. Every operation asks here,
// so that backups, watch and restores follow a lane from the moment at which it is moved; a section keeps to what it was
// answered first.

import type { LaneSpec } from '../../contract/lane-spec.ts';
import { movedId } from '../../contract/names.ts';
import { type Keeper, MovedMemo } from '../../contract/placement.ts';
import { Failure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { isVouched } from '../../receipt/vouched.ts';
import type { Deps } from '../deps.ts';

export type PlacementNeeds = Pick<Deps, 'fleet' | 'temporal' | 'keys'>;

/** The lane's specification where it is now. UnknownLane, PlacementBad. */
export async function placedSpec(deps: PlacementNeeds, lane: string): Promise<LaneSpec> {
  const [spec] = await placedSpecs(deps, [lane]);
  return spec as LaneSpec;
}

/** The same for many: the service is asked once for each host. */
export async function placedSpecs(deps: PlacementNeeds, lanes: readonly string[]): Promise<LaneSpec[]> {
  const specs = lanes.map((lane) => deps.fleet.laneSpec(lane));
  const ids = new Set(specs.map(keeperOf));
  const keepers = await deps.temporal.movedLanes([...ids]);
  return Promise.all(
    specs.map(async (spec) => {
      const keeper = keepers.find(({ workflowId }) => workflowId === keeperOf(spec));
      return keeper === undefined ? spec : placed(deps, spec, keeper);
    }),
  );
}

function keeperOf({ fleet, target }: LaneSpec): string {
  return movedId(fleet, target.host.name);
}

async function placed(deps: PlacementNeeds, spec: LaneSpec, keeper: Keeper): Promise<LaneSpec> {
  const memo = await trusted(deps, keeper, spec.lane);
  const { placement, lanes } = memo;
  if (!lanes.includes(spec.lane) || !placement.lanes.includes(spec.lane)) return spec;
  return deps.fleet.laneSpec(spec.lane, placement.on);
}

/** Whoever may start a workflow may set its memo: without a vault worker's signature of that hour it counts for nothing. */
async function trusted(
  deps: PlacementNeeds,
  { workflowId, startedAt, memo }: Keeper,
  lane: string,
): Promise<MovedMemo> {
  const { data } = MovedMemo.safeParse(memo);
  const keys = await deps.keys.receiptPublicKeysPem();
  const isOurs =
    data !== undefined &&
    data.placement.keeper === workflowId &&
    data.placement.fleet === deps.fleet.name &&
    Math.abs(Date.parse(data.placement.vouchedAt) - Date.parse(startedAt)) <= limits.vouchedMs &&
    isVouched(Buffer.from(data.envelope, 'base64'), data.placement, keys);
  if (isOurs) return data;
  const message = `${workflowId} says where lane ${lane} is, but no vault worker has vouched for that`;
  throw new Failure('PlacementBad', message, { lane, workflowId });
}
